import copy
import re

import pytest

from hybridcore.state import schema

KEY = "dev/linux/qemu/debian-12"


def test_every_field_of_the_schema_is_accepted(full):
    assert schema.check(full) == []


def test_the_empty_state_fits():
    assert schema.check(schema.empty()) == []


def walk(value, path=()):
    """The path of every value in a state."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from walk(item, (*path, key))


def replaced(data, path, value):
    data = copy.deepcopy(data)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


FLAGS = ("unrecorded", "only_this")  # fields that may be true


@pytest.mark.parametrize("wrong", [object, {"a": {"b": object}}, [[[]]], True])
def test_a_wrong_type_at_any_place_is_a_fault_that_names_the_place(full, wrong):
    for path in walk(full):
        if not path or (wrong is True and path[-1] in FLAGS):
            continue
        faults = schema.check(replaced(full, path, wrong))
        assert faults, f"{path} may be {wrong!r}"
        names = [part for part in path if isinstance(part, str)]
        assert any(names[0] in fault.message for fault in faults), (path, faults)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema_version",), 3, "schema_version must be 2, not 3"),
        (("schema_version",), True, "schema_version must be 2, not True"),
        (("updated_at",), "yesterday", "updated_at must be a time"),
        (("packer", "version"), 1, "packer.version must be a string, not 1"),
        (("packer", "colour"), "red", "packer has an unknown field 'colour'"),
        (("images", KEY, "status"), "fine", "status must be one of built, unchanged"),
        (("images", KEY, "status"), "partial", "status must be one of"),
        (("images", KEY, "fingerprint"), "ABC", "fingerprint must be a sha256"),
        (("images", KEY, "duration_s"), -1, "duration_s must be a number of seconds"),
        (("images", KEY, "duration_s"), float("nan"), "duration_s must be a number of seconds"),
        (("images", KEY, "duration_s"), float("inf"), "duration_s must be a number of seconds"),
        (("images", KEY, "built_at"), "2026-11-22T05:25:08Z", "built_at must be a time"),
        (("images", KEY, "artifacts", 0, "files", 0, "size"), -1, "files[0].size must be a whole number"),
        (("images", KEY, "artifacts", 0, "id"), None, "artifacts[0].id is missing"),
        (("images", KEY, "target"), "../../etc/passwd", "target must be a target"),
        (("images", KEY, "environment"), "..", "environment must be the name of an environment"),
        (("images", "dev/../../etc"), {}, "the key 'dev/../../etc' of images must be"),
        (("images", 7), {}, "the key 7 of images must be a string"),
        (("history", 0, "results", 0, "status"), "x", "history[0].results[0].status must be one of"),
        (("running", "r3", "pid"), 1.5, "running['r3'].pid must be a whole number"),
        (("novelty",), {}, "unknown field 'novelty'"),
    ],
)
def test_a_fault_says_where_and_what(full, path, value, message):
    faults = schema.check(replaced(full, path, value))
    assert any(message in fault.message for fault in faults), faults


@pytest.mark.parametrize("section", list(schema.SECTIONS))
def test_a_missing_section_is_a_fault(full, section):
    del full[section]
    assert [fault.message for fault in schema.check(full)] == [f"{section} is missing"]


def test_an_optional_field_may_be_null(full):
    full["images"][KEY].update(builder=None, artifacts=None, last_attempt=None)
    full["last_run"] = None
    assert schema.check(full) == []


def test_all_faults_are_collected_up_to_a_bound(full):
    full["plugins"] = {f"plugin-{number}": number for number in range(500)}
    assert len(schema.check(full)) == 50


def test_faults_show_hostile_values_short_and_printable(full):
    full["plugins"] = {"a": ["\x1b[2J"], "b": 10**50, "c": {"\n": 1}}
    for fault in schema.check(full):
        assert fault.message.isprintable()
        assert len(fault.message) < 200


def test_what_is_no_object_is_one_fault():
    assert [fault.message for fault in schema.check([])] == ["the state must be an object"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1795325108.1239, "2026-11-22T05:25:08.123Z"),
        (1795325108.9999, "2026-11-22T05:25:08.999Z"),
    ],
)
def test_timestamp_is_rfc_3339_in_utc_with_milliseconds(seconds, text):
    assert schema.timestamp(seconds) == text


def test_timestamp_of_now_fits_the_schema():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", schema.timestamp())
