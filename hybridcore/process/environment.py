"""The environment of a child: what passes from ours, and which of it is secret."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from .. import platforms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


class Passed(NamedTuple):
    """What passes from our environment to a child's, for one purpose.

    Attributes:
        purpose: what the variables are for; docs/secrets.md has a row for each.
        names: of the variables; ``NAME_*`` stands for all that begin so.
        secrets: those among them whose values are masked.
    """

    purpose: str
    names: tuple[str, ...]
    secrets: tuple[str, ...] = ()


# What every build needs; what the plugin of one platform reads stands in that platform's row.
_GENERAL = (
    Passed(
        "the system",
        (
            *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_*"),
            *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        ),
    ),
    Passed(
        "network",
        (
            *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
            *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
            *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"),
        ),
    ),
    Passed("SSH", ("SSH_AUTH_SOCK", "GIT_SSH_COMMAND")),
    Passed(
        "Packer",
        ("PACKER_*", "PKR_VAR_*", "HCP_*", "GOGC"),
        ("HCP_CLIENT_SECRET", "PACKER_GITHUB_API_TOKEN"),
    ),
)
# What Packer's functions ask passes only where a template calls them. Names: ``ReadEnvironment`` in
# api/client.go of hashicorp/vault, and the constants of api/api.go of hashicorp/consul.
FUNCTIONS = {
    "vault": Passed("Vault, where `vault()` is called", ("VAULT_*",), ("VAULT_TOKEN",)),
    "consul_key": Passed(
        "Consul, where `consul_key()` is called",
        ("CONSUL_*",),
        ("CONSUL_HTTP_TOKEN", "CONSUL_HTTP_AUTH"),
    ),
}
# Endings by which a variable counts as secret though it stands in no table.
_SECRET_ENDINGS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "KEY", "CREDENTIALS")
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")


def passed() -> Iterator[Passed]:
    """All that passes from our environment to a child's: what is general, then what each platform reads."""
    yield from _GENERAL
    for one in platforms.PLATFORMS:
        if one.passes:
            yield Passed(one.title, one.passes, one.secrets)


def secret_names() -> set[str]:
    """The variables whose values are masked, of all that can pass."""
    return {name for one in (*passed(), *FUNCTIONS.values()) for name in one.secrets}


def child_environment(
    extra: Mapping[str, str] | None = None,
    *,
    base: Mapping[str, str] | None = None,
    more: Collection[str] = (),
) -> dict[str, str]:
    """Build the environment of a child from what may pass, and what the caller adds.

    Args:
        extra: names and values that are added, or replace what would pass.
        base: the environment to take from; our own when not given.
        more: names that pass as well; ``NAME_*`` stands for all that begin so.

    Returns:
        A new mapping; ``CHECKPOINT_DISABLE`` is always set, so that Packer does not call home, and ``GOGC``
        unless it passes: https://pkg.go.dev/runtime#hdr-Environment_Variables.
    """
    source = os.environ if base is None else base
    patterns = [*(name for one in passed() for name in one.names), *more]
    names = {name for name in patterns if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in patterns if name.endswith("*"))
    env = {name: value for name, value in source.items() if name in names or name.startswith(prefixes)}
    env["CHECKPOINT_DISABLE"] = "1"
    # A build is three processes of Packer and more. With Go's default of 100 each collects garbage all
    # through its start, a sixth of a short build's time; with 200 its memory grows by less than a fifth.
    env.setdefault("GOGC", "200")
    env.update(extra or {})
    return env


def environment_secrets(env: Mapping[str, str], more: Collection[str] = ()) -> list[str]:
    """The secret values in a child's environment, to be masked in everything that it prints.

    Args:
        env: what ``child_environment`` built.
        more: names that are secret besides those of the tables.

    Returns:
        The values of ``named_secrets``; at least 4 characters each, since a shorter value would shred the
        output and protect nothing.
    """
    return [value for __, value in named_secrets(env, more) if len(value) >= 4]


def named_secrets(env: Mapping[str, str], more: Collection[str] = ()) -> list[tuple[str, str]]:
    """The secrets in a child's environment, of any length, each with the variable that holds it.

    Args:
        env: what ``child_environment`` built.
        more: names that are secret besides those of the tables.

    Returns:
        Values of the names in ``secret_names()``, and passwords in the URLs of proxies: as they are, and as
        they are written there. Empty ones hide nothing.
    """
    found = [(name, env[name]) for name in sorted(secret_names().union(more)) if env.get(name)]
    for name in (*_PROXIES, *map(str.upper, _PROXIES)):
        # Go takes what has no scheme for HTTP: parseProxy in golang.org/x/net/http/httpproxy.
        url = env.get(name, "")
        authority = (url.partition("://")[2] or url).partition("/")[0]
        written = authority.rpartition("@")[0].partition(":")[2]
        password = written
        if "%" in written:
            from urllib.parse import unquote

            password = unquote(written, errors="surrogateescape")
        found += [(name, value) for value in dict.fromkeys((password, written)) if value]
    return found


def may_be_secret(name: str) -> bool:
    """Whether a variable of the environment holds a secret, by the table or by its name.

    Args:
        name: for example ``VAULT_TOKEN``.
    """
    return name in secret_names() or name.upper().endswith(_SECRET_ENDINGS)
