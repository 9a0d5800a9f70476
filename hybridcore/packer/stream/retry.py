"""Which errors may pass when a build is tried again, and how long to wait before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple


class Passing(NamedTuple):
    """A kind of error that may pass: a name, the pattern of its message, and a message as it was seen."""

    name: str
    pattern: str
    example: str


# Each row has a test. An error that matches none of them is final: to repeat what cannot succeed wastes
# an hour, so what is not known to pass is not tried again.
PASSING = (
    Passing("connection refused", r"connection refused", "dial tcp 10.0.0.5:22: connect: connection refused"),
    Passing(
        "connection reset", r"connection reset by peer|broken pipe", "read tcp: connection reset by peer"
    ),
    Passing("cut short", r"unexpected EOF|[:,] EOF\b", 'Post "https://vcenter/sdk": EOF'),
    Passing(
        "time-out of the network", r"i/o timeout|TLS handshake timeout", "dial tcp 10.0.0.5:443: i/o timeout"
    ),
    Passing(
        "no answer in time",
        r"context deadline exceeded|Client\.Timeout exceeded",
        "context deadline exceeded",
    ),
    Passing(
        "no SSH in time",
        r"Timeout waiting for (?:SSH|WinRM)",
        "Timeout waiting for SSH.",
    ),
    Passing("no address in time", r"timeout waiting for IP address", "timeout waiting for IP address"),
    Passing(
        "network out of reach",
        r"no route to host|network is unreachable",
        "dial tcp 10.0.0.5:22: connect: no route to host",
    ),
    Passing(
        "name service",
        r"Temporary failure in name resolution|server misbehaving|Temporary failure resolving",
        "lookup deb.example.org on 10.0.0.1:53: server misbehaving",
    ),
    Passing(
        "too many requests",
        r"(?:status|code|HTTP\S*)[ =:]*429(?!\d)|429 Too Many|TooManyRequests|RequestLimitExceeded|"
        r"Throttling(?:Exception)?:|rate exceeded",
        "StatusCode=429 -- Original Error: TooManyRequests",
    ),
    Passing(
        "server busy",
        r"(?:status|code|HTTP/\d\.\d)[ =:]*50[0234](?!\d)|ServiceUnavailable|"
        r"50[234] (?:Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)",
        "bad response: 503 Service Unavailable",
    ),
    Passing(
        "no capacity",
        r"InsufficientInstanceCapacity|AllocationFailed|SkuNotAvailable|ZONE_RESOURCE_POOL_EXHAUSTED",
        "InsufficientInstanceCapacity: We currently do not have sufficient capacity",
    ),
    Passing(
        "locked by another",
        r"Could not get lock /var/lib/|can't lock file '/var/lock/qemu-server|"
        r"Another (?:task|operation) is already in progress",
        "E: Could not get lock /var/lib/dpkg/lock-frontend",
    ),
    Passing(
        "package mirror",
        r"Failed to fetch https?://|Hash Sum mismatch|Cannot download repodata|Curl error \(\d+\)",
        "E: Failed to fetch http://deb.example.org/pool/x.deb  404  Not Found",
    ),
    Passing(
        "port taken",
        r"address already in use|Failed to find an available (?:VNC )?port",
        "listen tcp 127.0.0.1:5901: bind: address already in use",
    ),
)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one.pattern})" for one in PASSING), re.IGNORECASE)


def classify(errors: Iterable[str]) -> bool:
    """Whether a failed build may succeed when it is tried again.

    Args:
        errors: the messages of its errors, with the last lines where they are known.

    Returns:
        True when each of them is of a kind in ``PASSING``; False when there is none.
    """
    found = [bool(_pattern().search(error)) for error in errors]
    return bool(found) and all(found)


def delays(retries: int, first: float, *, longest: float = 300.0) -> Iterator[float]:
    """The seconds to wait before each retry: doubling, up to a limit.

    Args:
        retries: how many.
        first: before the first one.
        longest: before any.

    Yields:
        Seconds.
    """
    for number in range(retries):
        yield min(longest, first * 2**number)
