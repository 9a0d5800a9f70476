"""Masking of secrets in what other programs print, in every form in which they may print them.

Packer's own redaction misses values that it escapes, and its machine-readable output prints
sensitive variables in clear, so each byte passes here before it goes anywhere.

How it works: every form of every secret holds, at a known place, a *key* of four bytes that starts
with a byte that is rare in output. One regular expression finds the keys; only where one is found
the forms are compared. So output without secrets is searched at the speed of a character class.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from ..errors import Fault
from . import forms
from .environment import environment_secrets

MASK = b"***"
MIN_LENGTH = forms.MIN_LENGTH
# A line without an end is not waited for longer than this; a secret is still found across the cut.
_HOLD = 1 << 20
_KEY = 4
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
# Texts that are frequent in Packer's output, so that a key within them would select nothing.
_FREQUENT = (b"%!(PACKER_COMMA)",)


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


def _weight(byte: int) -> float:
    """How frequent a byte is in the output of builds, roughly, in parts per thousand."""
    char = chr(byte)
    if char in " etaoinsr":
        return 60.0
    if char in "ldcumph-./:\n":
        return 25.0
    if char.islower() and byte < 128:
        return 12.0
    if char.isdigit() or char in ",_=()[]\"'":
        return 10.0
    return 1.5


class Masker:
    """Replaces secrets by ``***``.

    Args:
        secrets: the values. Those under 4 characters are not masked; ``check_secret`` refuses them before.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = forms.of_all(secret for secret in secrets if len(secret) >= MIN_LENGTH)
        self._longest = max((len(form) for form, _ in self._forms), default=0) + 1
        self._held = bytearray()
        keys = _choose_keys([form for form, _ in self._forms])
        self._table: dict[bytes, list[tuple[int, bytes, bool]]] = {}
        for (form, inside), at in zip(self._forms, keys, strict=True):
            self._table.setdefault(form[at : at + _KEY], []).append((at, form, inside))
        self._probe = _compile(self._table)

    def text(self, text: str) -> str:
        """Mask a text that is complete, for example an error message."""
        data = text.encode("utf-8", "surrogateescape")
        masked = self.chunk(data)
        return text if masked is data else masked.decode("utf-8", "surrogateescape")

    def chunk(self, data: bytes) -> bytes:
        """Mask bytes that are complete; returns the same object where there is nothing to mask."""
        if self._probe is None:
            return data
        parts: list[bytes] = []
        at = 0
        for start, end in _merge(self._spans(data)):
            parts += (data[at:start], MASK)
            at = end
        if not parts:
            return data
        parts.append(data[at:])
        return b"".join(parts)

    def feed(self, data: bytes) -> bytes:
        """Mask a piece of a stream.

        Args:
            data: the next bytes, cut anywhere.

        Returns:
            The complete lines so far, masked. What follows the last line's end is kept for the next
            call, or for ``flush``; of a line without an end, only as much as a secret may need.
        """
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._held += data
            if len(self._held) < max(_HOLD, 2 * self._longest):
                return b""
            return self._release_long()
        if not self._held:
            complete = data if cut == len(data) else data[:cut]
        else:
            self._held += memoryview(data)[:cut]
            complete = bytes(self._held)
            self._held.clear()
        self._held += memoryview(data)[cut:]
        return self.chunk(complete)

    def flush(self) -> bytes:
        """Mask and return what is still held at the end of the stream."""
        rest = bytes(self._held)
        self._held.clear()
        return self.chunk(rest)

    def _release_long(self) -> bytes:
        """Let go the start of a very long line, up to a place where no secret is cut."""
        held = bytes(self._held)
        cut = len(held) - self._longest
        spans = sorted(self._spans(held))
        for start, end in _merge(spans):
            if start < cut < end:
                cut = start
                break
        if not cut:
            # Nothing but secrets that overlap: one mask stands for all of them but the last.
            del self._held[: spans[-1][0]]
            return MASK
        del self._held[:cut]
        return self.chunk(held[:cut])

    def _spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where each form lies, overlapping ones too, in no order."""
        if self._probe is None:
            return
        for match in self._probe.finditer(data):
            key = match.start()
            for offset, form, inside in self._table[data[key : key + _KEY]]:
                start = key - offset
                if start >= 0 and data.startswith(form, start):
                    end = start + len(form)
                    yield _widen(data, start, end) if inside else (start, end)


def _widen(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Take in the neighbours of a base64 run: they share bits with the secret."""
    if start and data[start - 1] in _BASE64:
        start -= 1
    if end < len(data) and data[end] in _BASE64:
        end += 1
    while end < len(data) and data[end] == 0x3D:
        end += 1
    return start, end


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap or touch, so that no remainder of a secret stays between two masks."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _choose_keys(found: list[bytes]) -> list[int]:
    """Choose in each form where its key starts, so that few and rare bytes start all the keys.

    A greedy weighted set cover: again and again the byte that starts a key in the most forms not yet
    covered, for its frequency.
    """
    places: list[dict[int, int]] = []
    for form in found:
        at: dict[int, int] = {}
        for index in range(len(form) - _KEY + 1):
            key = form[index : index + _KEY]
            if not any(key in text for text in _FREQUENT):
                at.setdefault(form[index], index)
        places.append(at or {form[0]: 0})
    chosen: list[int | None] = [None] * len(found)
    open_ = set(range(len(found)))
    while open_:
        counts: dict[int, int] = {}
        for index in open_:
            for byte in places[index]:
                counts[byte] = counts.get(byte, 0) + 1
        best = max(counts, key=lambda byte: (counts[byte] / _weight(byte), byte))
        for index in [index for index in open_ if best in places[index]]:
            chosen[index] = places[index][best]
            open_.discard(index)
    return [at for at in chosen if at is not None]


def _compile(table: Iterable[bytes]) -> re.Pattern[bytes] | None:
    """A pattern that stops at each key, consuming its first byte only, so that no key hides another."""
    by_first: dict[bytes, list[bytes]] = {}
    for key in sorted(table):
        by_first.setdefault(key[:1], []).append(key[1:])
    if not by_first:
        return None
    return re.compile(
        b"|".join(
            re.escape(first) + b"(?=" + b"|".join(re.escape(rest) for rest in rests) + b")"
            for first, rests in by_first.items()
        ),
        re.DOTALL,
    )


def masked_traceback(secrets: Iterable[str] = ()) -> str:
    """The traceback of the exception that is being handled, which may quote what only Packer should know.

    Args:
        secrets: more values to mask, besides those of our environment.

    Returns:
        Its text. All variables of Packer are masked: which of them are sensitive only the templates say.
    """
    import traceback

    variables = [value for name, value in os.environ.items() if name.startswith("PKR_VAR_")]
    return Masker([*secrets, *environment_secrets(os.environ), *variables]).text(traceback.format_exc())
