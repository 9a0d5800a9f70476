"""packer_sources: what a task returns of what was synced and locked, sources and plugins of Packer."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest


def result(name: str, *, changed: bool = False, warning: str = "", before: str = "") -> SimpleNamespace:
    """What the core says of a source, and of a plugin as well."""
    return SimpleNamespace(
        name=name,
        source=name,
        changed=changed,
        warning=warning,
        before=before,
        sha=f"sha-{name}",
        version=f"version-{name}",
        to_dict=lambda: {"name": name},
    )


@pytest.fixture
def calls() -> list[tuple[str, dict[str, object]]]:
    """What was asked of the core, in order."""
    return []


@pytest.fixture
def run(plugin, calls, make_workspace, monkeypatch: pytest.MonkeyPatch):
    """`run(synced=[...], installed=[...], **params)`: the answer of the task."""
    module: ModuleType = plugin("module_utils.packer_sources")
    pinned = plugin("module_utils.hybridcore.packer.pinned")
    root = str(make_workspace().root)

    def call(
        synced=(), installed=(), locked=(), *, check_mode: bool = False, diff: bool = False, **more: object
    ) -> dict[str, object]:
        def core(name: str, found):
            def act(*args: object, **given: object):
                given.pop("workspace")
                calls.append((name, given))
                return found

            return act

        monkeypatch.setattr(module.sources, "sync", core("sync", synced))
        monkeypatch.setattr(module.sources, "lock", core("lock", locked))
        monkeypatch.setattr(pinned, "sync", core("install", installed))
        monkeypatch.setattr(pinned, "lock", core("lock plugins", locked))
        switches = dict.fromkeys(("frozen", "offline", "keep_going", "lock", "plugins"), False)
        params = {"env": None, "names": None, "workspace": root, **switches, **more}
        return module.run(params, check_mode=check_mode, diff=diff, monitor=None)

    return call


def asked(calls: list[tuple[str, dict[str, object]]]) -> list[str]:
    return [name for name, _ in calls]


def test_sources_alone_are_synced_and_nothing_is_locked(run, calls) -> None:
    answer = run([result("a"), result("b", changed=True)], frozen=True, keep_going=True)
    assert answer == {"changed": True, "results": [{"name": "a"}, {"name": "b"}], "plugins": []}
    ((_, given),) = calls
    assert given == {"frozen": True, "offline": False, "check": False, "keep_going": True, "monitor": None}
    assert run([result("a")])["changed"] is False


@pytest.mark.parametrize(
    ("check_mode", "moves", "locks"),
    [
        (False, False, ["lock", "lock plugins"]),
        (False, True, ["lock", "lock plugins"]),
        (True, False, ["lock", "lock plugins"]),
        (True, True, []),  # what a check would have moved is not there to be locked
    ],
)
def test_what_is_there_is_locked(run, calls, check_mode: bool, moves: bool, locks: list[str]) -> None:
    found = [result("a", changed=moves)]
    answer = run(found, found, [result("a", changed=True)], check_mode=check_mode, lock=True, plugins=True)
    assert [name for name in asked(calls) if name.startswith("lock")] == locks
    assert sorted(set(asked(calls)) - set(locks)) == ["install", "sync"]
    assert all(given["check"] is check_mode for _, given in calls)
    assert answer["changed"] is (moves or bool(locks))


def test_a_plugin_that_was_installed_is_a_change(run, calls) -> None:
    answer = run([result("a")], [result("p", changed=True)], plugins=True, offline=True)
    assert (answer["changed"], answer["plugins"]) == (True, [{"name": "p"}])
    assert all(given["offline"] is True for _, given in calls)


def test_warnings_name_what_they_are_about(run) -> None:
    answer = run([result("a", warning="odd"), result("b")], [result("p", warning="old")], plugins=True)
    assert answer["warnings"] == ["a: odd", "p: old"]


def test_a_difference_is_a_line_for_each(run) -> None:
    answer = run([result("a", before="x"), result("b")], [result("p", before="1")], plugins=True, diff=True)
    assert (answer["diff"]["before"], answer["diff"]["after"]) == (
        "a x\np 1\n",
        "a sha-a\nb sha-b\np version-p\n",
    )
