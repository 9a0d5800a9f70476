import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.errors import StateError
from hybridcore.state import codec, schema

FILE = Path("state/packer-hybrid.json")
names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
targets = st.tuples(names, names, names).map("/".join)
images = st.dictionaries(
    targets.map(lambda target: f"dev/{target}"),
    st.fixed_dictionaries(
        {"target": targets, "environment": names},
        optional={"inputs": st.dictionaries(st.text(), st.text(), max_size=3), "builder": st.text()},
    ),
    max_size=6,
)


def encode(data, *, before=None, always=True, history=5):
    parts = codec.encode(data, file=FILE, history=history, before=before, always=always)
    return None if parts is None else b"".join(parts)


def decode(content, *, lazy=False):
    data = codec.decode(content, file=FILE, lazy=lazy)
    data["images"] = dict(data["images"])
    del data["updated_at"]
    return data


@given(images=images, plugins=st.dictionaries(st.text(), st.text(), max_size=4))
def test_what_is_written_is_read_again(images, plugins):
    data = {**schema.empty(), "images": images, "plugins": plugins}
    content = encode(data)
    del data["updated_at"]
    assert decode(content) == data
    assert decode(content, lazy=True) == data


def test_the_text_is_plain_json_with_a_line_for_each_entry(full):
    content = encode(full)
    assert json.loads(content)["images"] == full["images"]
    assert content.isascii()
    assert b'\n"dev/linux/qemu/debian-12": {"artifacts": [{' in content


def test_equal_states_give_equal_texts_whatever_their_order(full):
    turned = {key: full[key] for key in reversed(full)}
    turned["images"] = {key: dict(reversed(image.items())) for key, image in full["images"].items()}

    def body(content):
        return content[content.index(b'"checksum"') :]

    assert body(encode(full)) == body(encode(turned))


def test_no_text_is_given_when_nothing_changed(full):
    before = encode(full)
    assert encode(full, before=before, always=False) is None
    lazy = codec.decode(before, file=FILE, lazy=True)
    assert lazy["images"]["dev/linux/qemu/debian-12"]["run"] == "r1"  # looking is not changing
    assert encode(lazy, before=before, always=False) is None
    full["plugins"]["new"] = "1"
    assert encode(full, before=before, always=False)


def test_history_is_cut_to_the_newest(full):
    full["history"] = [{"id": f"r{number}"} for number in range(9)]
    assert [run["id"] for run in decode(encode(full, history=2))["history"]] == ["r7", "r8"]
    assert decode(encode(full, history=0))["history"] == []


def test_the_checksum_tells_every_changed_byte(full):
    content = encode(full)
    start = content.index(b'"packer"')
    assert codec.is_sound(content)
    for at in range(start, len(content)):
        assert not codec.is_sound(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


def test_an_edited_file_is_checked_whole(full):
    before = encode(full)
    good = before.replace(b'"1.0.9"', b'"1.0.10"')
    assert decode(good)["plugins"] == {"github.com/hashicorp/qemu": "1.0.10"}
    with pytest.raises(StateError, match="does not fit the schema") as caught:
        decode(before.replace(b'"size": 5', b'"size": "five"'))
    assert "artifacts[0].files[0].size must be a whole number" in str(caught.value)


def test_a_wrong_entry_is_refused_also_beside_known_ones(full):
    before = encode(full)
    for lazy in (True, False):
        data = codec.decode(before, file=FILE, lazy=lazy)
        data["images"]["dev/linux/null/b"] = {"target": "linux/null/b"}
        data["images"]["dev/linux/qemu/debian-12"]["status"] = "fine"
        data["history"] = [*data["history"], {"id": 3}]
        with pytest.raises(StateError) as caught:
            encode(data, before=before)
        text = str(caught.value)
        assert "images['dev/linux/null/b'].environment is missing" in text
        assert "images['dev/linux/qemu/debian-12'].status must be one of" in text
        assert "history[0].id must be a string" in text


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), b"x", object()])
def test_what_json_cannot_hold_is_refused(full, value):
    full["plugins"]["x"] = value
    with pytest.raises(StateError, match="plugins"):
        encode(full)


def test_a_value_that_holds_itself_is_refused(full):
    loop = []
    loop.append(loop)
    full["plugins"]["x"] = loop
    with pytest.raises(StateError, match="plugins"):
        encode(full)
