"""Masking of secrets in what other programs print, in every form in which they may print them.

Packer's own redaction misses values that it escapes, and its machine-readable output prints
sensitive variables in clear, so each byte that is shown or logged passes here.

Mask what is finally written: after the text was brought into the form in which people read it.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from ..errors import Fault
from . import forms
from .environment import environment_secrets
from .lines import ANSI, CUT, CUT_MARK, HOLD, strip_ansi
from .redacted import Leftovers
from .search import Search, Span, merge
from .wrapped import Unfinished, Wrapped

MASK = b"***"
_REDACTED = forms.REDACTED.encode()
MIN_LENGTH = forms.MIN_LENGTH
_RESET = b"\x1b[0m"


def check_secret(name: str, value: str) -> Fault | None:
    """Say whether a value can be kept secret.

    Args:
        name: what the user calls it; appears in the fault, unlike the value.
        value: the secret.

    Returns:
        A fault when it is too short: masking every place where three characters or fewer appear would
        shred the output, and show by the holes what the value is.
    """
    if len(value) >= MIN_LENGTH:
        return None
    return Fault(
        f"the secret {name!r} has {len(value)} characters: it cannot be masked without shredding "
        f"the output, and its holes would show it",
        hint=f"use a value of at least {MIN_LENGTH} characters, or pass it as an ordinary variable",
    )


class Masker:
    """Replaces secrets by ``***``.

    Args:
        secrets: the values. Those under 4 characters are not masked; ``check_secret`` refuses them before.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = forms.of_all(secret for secret in secrets if len(secret) >= MIN_LENGTH)
        self._search = Search(found.texts, found.runs)
        self._wrapped = Wrapped(found.runs, self._search)
        self._leftovers = Leftovers(found.texts)

    @property
    def longest(self) -> int:
        """Bytes that the longest form may take, and one more on each side."""
        return self._search.longest + 2

    def text(self, text: str) -> str:
        """Mask a text that is complete, for example an error message."""
        data = text.encode("utf-8", "surrogateescape")
        masked = self.chunk(data)
        return text if masked is data else masked.decode("utf-8", "surrogateescape")

    def chunk(self, data: bytes) -> bytes:
        """Mask bytes that are complete; returns the same object where there is nothing to mask."""
        return self.lines(data)[0]

    def lines(self, data: bytes, before: tuple[Unfinished, ...] = ()) -> tuple[bytes, tuple[Unfinished, ...]]:
        """Mask some lines of a stream.

        Args:
            data: complete lines.
            before: what the call for the lines before these gave.

        Returns:
            The lines, masked; the same object where there is nothing to mask. And what the next call must
            know of them: the base64 that lines ended with.
        """
        # Most lines hold no beginning of a secret, and need no closer look.
        may_be = self._search.may_be_in(data) or self._wrapped.may_begin_in(data)
        if not (may_be or before or b"\x1b" in data or CUT_MARK in data or _REDACTED in data):
            return data, ()
        spans, left = self.spans(data, before)
        return _replace(data, spans), left

    def spans(
        self, data: bytes, before: tuple[Unfinished, ...] = ()
    ) -> tuple[list[Span], tuple[Unfinished, ...]]:
        """The places to mask; arguments and the second result are those of ``lines``."""
        plain = strip_ansi(data)
        found = list(self._search.spans(plain))
        across, left = self._wrapped.spans(plain, before)
        found += across
        if _REDACTED in plain:
            found += self._leftovers.spans(plain)
        if self._search.longest and CUT_MARK in plain:
            for match in CUT.finditer(plain):
                found += self._search.starts(plain, match.start())
        if plain is not data:
            # Searched without escape sequences, so that a colour within a secret does not hide it; and with
            # them, since a secret may hold one.
            found = [*_with_ansi(data, found), *self._search.spans(data)]
        return merge(found), left


class Stream:
    """Masks a stream of bytes, in bounded memory.

    Args:
        masker: knows the secrets.

    Attributes:
        before: what the next lines must know of those before, as ``Masker.lines`` gives it.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = bytearray()
        self.before: tuple[Unfinished, ...] = ()

    def feed(self, data: bytes) -> bytes:
        """Mask a piece of the stream.

        Args:
            data: the next bytes, cut anywhere.

        Returns:
            The complete lines so far, masked. What follows the last line's end is kept for the next
            call, or for ``flush``; of a line without an end, only as much as a secret may need.
        """
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._held += data
            if len(self._held) < max(HOLD, 2 * self._masker.longest):
                return b""
            return self._release_long()
        if not self._held:
            complete = data if cut == len(data) else data[:cut]
        else:
            self._held += memoryview(data)[:cut]
            complete = bytes(self._held)
            self._held.clear()
        self._held += memoryview(data)[cut:]
        return self._lines(complete)

    def text(self, text: str) -> str:
        """Mask the next text of the stream: one line, or several.

        Args:
            text: without the end of its last line.
        """
        data = text.encode("utf-8", "surrogateescape") + b"\n"
        masked = self._lines(data)
        return text if masked is data else masked.decode("utf-8", "surrogateescape").removesuffix("\n")

    def flush(self) -> bytes:
        """Mask and return what is still held at the end of the stream."""
        rest = bytes(self._held)
        self._held.clear()
        return self._lines(rest) if rest else rest

    def _lines(self, complete: bytes) -> bytes:
        masked, self.before = self._masker.lines(complete, self.before)
        return masked

    def _release_long(self) -> bytes:
        """Let go the start of a very long line, up to a place where no secret is cut."""
        held = bytes(self._held)
        cut = len(held) - self._masker.longest
        spans, __ = self._masker.spans(held, self.before)
        for start, end in spans:
            if start < cut < end:
                cut = start
                break
        if not cut:
            # All that is held is secrets that overlap: one mask stands for all but the last.
            cut = max(len(held) - 2 * self._masker.longest, 1)
            del self._held[:cut]
            return MASK
        del self._held[:cut]
        self.before = ()
        return _replace(held[:cut], [span for span in spans if span[1] <= cut])


def _replace(data: bytes, spans: Iterable[Span]) -> bytes:
    """Put masks in the places of spans, which are sorted and apart; the same object where there is none."""
    parts: list[bytes] = []
    at = 0
    for start, end in spans:
        # A colour that was set within the secret would go on behind the mask: reset it.
        parts += (data[at:start], MASK, _RESET if b"\x1b" in data[start:end] else b"")
        at = end
    if not parts:
        return data
    parts.append(data[at:])
    return b"".join(parts)


def _with_ansi(data: bytes, spans: Iterable[Span]) -> Iterator[Span]:
    """The places in a text with escape sequences, from those in the same text without them."""
    # For each escape sequence: its place in the text without any, and the bytes of sequences up to its end.
    places: list[int] = []
    sizes: list[int] = [0]
    for match in ANSI.finditer(data):
        places.append(match.start() - sizes[-1])
        sizes.append(sizes[-1] + len(match[0]))
    for start, end in spans:
        yield start + sizes[bisect_right(places, start)], end + sizes[bisect_left(places, end)]


def masked_traceback(secrets: Iterable[str] = ()) -> str:
    """The traceback of the exception that is being handled, which may quote what only Packer should know.

    Args:
        secrets: more values to mask, besides those of our environment.

    Returns:
        What ``masked`` makes of it.
    """
    import traceback

    return masked(traceback.format_exc(), secrets)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """A text of ours, such as an error, without what only Packer should know.

    Args:
        text: it is complete.
        secrets: more values to mask, besides those of our environment.

    Returns:
        The text. All variables of Packer are masked: which of them are sensitive only the templates say.
    """
    variables = [value for name, value in os.environ.items() if name.startswith("PKR_VAR_")]
    return Masker([*secrets, *environment_secrets(os.environ), *variables]).text(text)
