"""What tests of supervised programs start, and hear of them."""

from __future__ import annotations

import os
import selectors
import sys
import weakref
from pathlib import Path

from hybridcore.process.children import Child, Children

_pending: weakref.WeakKeyDictionary[Children, list[dict[str, object]]] = weakref.WeakKeyDictionary()


def next_event(children: Children) -> dict[str, object]:
    """The next event, one at a time."""
    if not _pending.setdefault(children, []):
        with selectors.DefaultSelector() as selector:
            selector.register(children, selectors.EVENT_READ)
            while not _pending[children]:
                assert selector.select(60), "the supervisor says nothing"
                _pending[children] += children.events()
    return _pending[children].pop(0)


def program(code: str, folder: Path, **more: object) -> Child:
    """A program in Python, as a child of the name ``a``."""
    argv = (sys.executable, "-IS", "-c", code)
    return Child(key="a", argv=argv, env=dict(os.environ), cwd=folder, **more)
