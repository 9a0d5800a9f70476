"""One file over HTTP or HTTPS: bounded, tried again where that may help, and no way to another transport."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from ... import __version__
from ...errors import SourcesError
from ...sources.addresses import masked, shown

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from ...monitor import Monitor

_SILENCE_S = 60.0
_TRIES = 3
_FIRST_PAUSE_S = 1.0
_TELL_EVERY_S = 5.0
_CHUNK = 1 << 18


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to HTTPS, and to HTTP from where it began with HTTP."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        allowed = ("https://", "http://") if req.type == "http" else ("https://",)
        if not newurl.lower().startswith(allowed):
            raise SourcesError(f"{shown(req.full_url)} leads to another transport, {shown(newurl)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, path: Path, *, most_bytes: int, monitor: Monitor, name: str) -> None:
    """Write what is at a URL into a file. Proxies and ``SSL_CERT_FILE`` of the environment count.

    Args:
        url: ``http://`` or ``https://``.
        path: the file to be made.
        most_bytes: of what may come.
        monitor: who sees how far it is.
        name: of what is fetched.

    Raises:
        SourcesError: it did not work; has the server's word.
        OSError: the file cannot be written.
    """
    opener = urllib.request.build_opener(_Redirects)
    request = urllib.request.Request(url, headers={"User-Agent": f"packer-hybrid/{__version__}"})
    pause = _FIRST_PAUSE_S
    for left in range(_TRIES - 1, -1, -1):
        try:
            with opener.open(request, timeout=_SILENCE_S) as answer, open(path, "wb") as file:
                _copy(answer, file, most_bytes, monitor, name)
            return
        except urllib.error.HTTPError as error:
            text, again = (
                f"the server says {error.code} {error.reason}",
                error.code in (408, 429) or error.code >= 500,
            )
        except urllib.error.URLError as error:
            text, again = str(error.reason), not _is_final(error.reason)
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            text, again = str(error) or type(error).__name__, True
        message = f"cannot fetch {shown(url)}: {masked(text)}"
        if not again or not left:
            raise SourcesError(message + (f", {_TRIES} times" if again else ""))
        monitor.line(name, f"{message}; asking again in {pause:g} s", "say")
        time.sleep(pause)
        pause *= 2


def _is_final(reason: object) -> bool:
    """Whether an error will not pass by itself, such as a certificate that nobody trusts."""
    import ssl

    return isinstance(reason, ssl.SSLCertVerificationError)


def _copy(answer: IO[bytes], file: IO[bytes], most_bytes: int, monitor: Monitor, name: str) -> None:
    length = getattr(answer, "length", None)  # what the server says will come; counts down
    whole = length or 0
    came = 0
    told = time.monotonic()
    while block := answer.read(_CHUNK):
        came += len(block)
        if came > most_bytes:
            raise SourcesError(f"{name}: it has more than {most_bytes // 1_000_000} MB")
        file.write(block)
        if time.monotonic() - told >= _TELL_EVERY_S:
            told = time.monotonic()
            of = f" of {whole / 1e6:.0f}" if whole else ""
            monitor.line(name, f"{came / 1e6:.0f}{of} MB", "say")
    if whole and came < whole:
        raise http.client.IncompleteRead(b"", whole - came)
