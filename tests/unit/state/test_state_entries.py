"""The images of the state, taken up one at a time, behave as a dict and write what changed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.state.entries import Entries

steps = st.lists(
    st.tuples(
        st.sampled_from(["set", "get", "delete", "setdefault", "pop", "contains"]), st.sampled_from("abcdef")
    ),
    max_size=12,
)


@given(start=st.sets(st.sampled_from("abcd")), steps=steps)
def test_entries_behave_as_a_dict(start, steps):
    model = {key: {"v": key} for key in start}
    lines = ",".join(f'\n"{key}": {{"v": "{key}"}}' for key in sorted(start))
    entries = Entries(b"{" + lines.encode() + b"}", 1, 1 + len(lines))
    for number, (step, key) in enumerate(steps):
        results = []
        for mapping in (model, entries):
            try:
                if step == "set":
                    mapping[key] = {"v": number}
                    results.append(None)
                elif step == "get":
                    results.append(mapping.get(key))
                elif step == "delete":
                    del mapping[key]
                    results.append(None)
                elif step == "setdefault":
                    results.append(mapping.setdefault(key, {"v": number}))
                elif step == "pop":
                    results.append(mapping.pop(key))
                else:
                    results.append(key in mapping)
            except KeyError:
                results.append("KeyError")
        assert results[0] == results[1]
        assert dict(entries) == model
        assert len(entries) == len(model)
    parts, _ = entries.render(json.dumps)
    assert (
        b"".join(parts)
        == ",".join(f"\n{json.dumps(k)}: {json.dumps(model[k])}" for k in sorted(model)).encode()
    )


def test_entries_give_back_what_was_changed_in_place():
    content = b'{\n"a": {"v": 1},\n"b": {"v": 2},\n"c": {"v": 3}'
    entries = Entries(content, 1, len(content))
    entries["b"]["v"] = 22
    assert entries["a"] == {"v": 1}
    parts, fresh = entries.render(json.dumps)
    assert b"".join(parts) == b'\n"a": {"v": 1},\n"b": {"v": 22},\n"c": {"v": 3}'
    assert fresh == {"b": {"v": 22}}


def test_what_is_looked_at_is_parsed_and_nothing_else():
    content = b'{\n"a": {"v": 1},\n"b": no JSON,\n"c": {"v": "}, {"}'
    entries = Entries(content, 1, len(content))
    assert (entries["a"], entries["c"]) == ({"v": 1}, {"v": "}, {"})
    assert sorted(entries) == ["a", "b", "c"]
    assert b"".join(entries.render(json.dumps)[0]) == content[1:]


class SearchedText(bytes):
    """A text that counts how often something is searched for in it."""

    searches = 0

    def find(self, *args):
        self.searches += 1
        return super().find(*args)


def test_who_goes_through_all_entries_searches_for_none():
    lines = ",".join(f'\n"{key}": {{"v": "{key}"}}' for key in "abc")
    content = SearchedText(b"{" + lines.encode())
    entries = Entries(content, 1, len(content))
    assert entries["b"] == {"v": "b"}
    assert content.searches > 0
    content.searches = 0
    assert list(entries.values()) == [{"v": "a"}, {"v": "b"}, {"v": "c"}]
    assert content.searches == 0


@pytest.mark.parametrize("key", ["v", "b", "a/b", '"a', "", "c\\"])
def test_a_key_is_found_as_a_whole_and_never_within_a_value(key):
    content = b'{\n"a": {"b": "\\"c\\": 1"},\n"a/b/c": 2,\n"xb": 3'
    entries = Entries(content, 1, len(content))
    assert key not in entries
    with pytest.raises(KeyError):
        entries[key]
    with pytest.raises(KeyError):
        del entries[key]
    entries[key] = 4
    assert entries[key] == 4
    assert json.loads(b"{" + b"".join(entries.render(json.dumps)[0]) + b"}") == {
        "a": {"b": '"c": 1'},
        "a/b/c": 2,
        "xb": 3,
        key: 4,
    }


def test_entries_look_like_a_dict_to_people():
    assert repr(Entries(b'{\n"a": 1', 1, 8)) == "{'a': 1}"
