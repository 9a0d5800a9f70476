"""Events: a line each, bounded, and never in the way of what they tell."""

from __future__ import annotations

import json

import pytest

from hybridcore.images import events
from tests.support.images import WEB, Shelf


def test_an_event_is_a_line_of_json_with_its_time(shelf: Shelf) -> None:
    shelf.build()
    events.tell(shelf.workspace, [events.event("promoted", WEB, 7, channel="stable", by="root", reason=None)])
    (line,) = events.path(shelf.workspace).read_text().splitlines()
    told = json.loads(line)
    assert told.pop("at").endswith("Z")
    assert told == {
        "event": "promoted",
        "image": str(WEB),
        "version": 7,
        "channel": "stable",
        "by": "root",
    }


def test_events_are_bounded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.build()
    monkeypatch.setattr(events, "MAX_BYTES", 2000)
    for number in range(1, 200):
        events.tell(shelf.workspace, [events.event("built", WEB, number)])
    files = sorted(path.name for path in shelf.workspace.state_dir.glob("events*"))
    assert files == ["events.jsonl", "events.jsonl.1"]
    assert all((shelf.workspace.state_dir / name).stat().st_size <= 2000 for name in files)
    last = json.loads(events.path(shelf.workspace).read_text().splitlines()[-1])
    assert last["version"] == 199


def test_a_line_end_in_a_reason_stays_in_its_line(shelf: Shelf) -> None:
    shelf.build()
    events.tell(shelf.workspace, [events.event("revoked", WEB, 1, reason="a\nb")])
    assert len(events.path(shelf.workspace).read_text().splitlines()) == 1


def test_who_did_it_is_the_user_and_who_became_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = events.who()
    assert alone
    monkeypatch.setenv("SUDO_USER", "alice")
    assert events.who() == f"alice as {alone}"


def test_events_that_cannot_be_written_are_said(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.build()
    events.path(shelf.workspace).mkdir()
    events.tell(shelf.workspace, [events.event("built", WEB, 1)])
    assert "events.jsonl" in capsys.readouterr().err
