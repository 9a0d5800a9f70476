"""Images with a memory: versions, channels, revocation, lineage and retention of what was built.

A good build is a version: a number, given once, with a record that never changes. What changes, such as
what a channel names, stands in the state. docs/images.md tells how it is used.
"""

from __future__ import annotations

from .changing import hold, label, restore, revoke, rollback
from .forgetting import forget
from .known import Known
from .lookup import look_up
from .names import parse, parse_place
from .promoting import promote
from .retiring import retire

__all__ = [
    "Known",
    "forget",
    "hold",
    "label",
    "look_up",
    "parse",
    "parse_place",
    "promote",
    "restore",
    "retire",
    "revoke",
    "rollback",
]
