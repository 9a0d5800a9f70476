"""The forms of a secret: how programs write it, each long enough to be looked for."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess

import pytest

from hybridcore.process.forms import COMMA, MIN_LENGTH, Forms, of_all


def texts(*secrets: str) -> set[str]:
    return {form.decode("utf-8", "surrogateescape") for form in of_all(secrets).texts}


def test_without_a_secret_there_is_no_form() -> None:
    assert of_all([]) == Forms((), ())


def test_forms_are_sorted_and_do_not_depend_on_the_order_of_the_secrets() -> None:
    secrets = ["first, value", 'sec"ond', "third\nvalue"]
    forms = of_all(secrets)
    assert list(forms.texts) == sorted(set(forms.texts))
    assert list(forms.runs) == sorted(set(forms.runs))
    assert all(of_all(order) == forms for order in itertools.permutations(secrets))


@pytest.mark.parametrize(
    "secret", ["abcd", "a'b\"c", "key=\n\n\nx\ny1", "{}[]", '["ab", {"k": "x"}]', "ab\x1b[31mc"]
)
def test_no_form_is_so_short_that_it_would_be_found_everywhere(secret: str) -> None:
    forms = of_all([secret])
    assert min(map(len, (*forms.texts, *forms.runs))) >= MIN_LENGTH


def test_a_plain_word_has_itself_in_quotes_of_no_kind_alone() -> None:
    assert texts("plainword") == {"plainword"}


def test_the_texts_and_numbers_of_a_secret_that_is_json() -> None:
    key = {"type": "key", "deep": [{"private": "se/cret"}, 123456, True, None], "n": 12345.5}
    found = texts(json.dumps(key))
    assert {"se/cret", "se\\/cret", "123456", "12345.5"} <= found
    # Three characters, names of fields, and words of JSON are no secrets.
    assert not {"key", "type", "private", "True", "true", "null"} & found


@pytest.mark.parametrize("secret", ["{broken", "[" * 3000 + "end", '{"a": }'])
def test_what_only_begins_like_json_is_an_ordinary_secret(secret: str) -> None:
    assert secret in texts(secret)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_each_line_of_several_with_and_without_its_indent(newline: str) -> None:
    found = texts(newline.join(["first line", "  indented", "abc"]))
    assert {"first line", "  indented", "indented"} <= found
    assert "abc" not in found


def test_commas_and_newlines_as_machine_readable_output_has_them() -> None:
    found = texts("one,two\nthree\r\nfour")
    assert {
        f"one{COMMA}two\\nthree\\r\\nfour",
        # As a remote command prints it, whose carriage returns are dropped.
        f"one{COMMA}two\\nthree\\nfour",
    } <= found


def test_what_is_read_again_from_machine_readable_output_is_not_always_what_was_written() -> None:
    assert "back\nslash" in texts("back\\nslash")


def test_the_escapes_of_a_secret_with_colours_are_left_out() -> None:
    found = texts("red\x1b[31mword", "tail\x1b")
    assert {"redword", "tail"} <= found


@pytest.mark.parametrize("text", ["it's", 'quo"te$x`y', "tab\there", "esc\x1bape", "a b;c"])
def test_what_bash_prints_of_it(text: str) -> None:
    for script in ('printf %q "$1"', 'set -x; : "$1"'):
        done = subprocess.run(["bash", "-c", script, "-", text], capture_output=True, check=True)
        printed = done.stdout + done.stderr
        assert any(form in printed for form in of_all([text]).texts), printed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_base64_at_each_alignment_holds_a_run(encoding: str, before: str) -> None:
    encoded = base64.b64encode(f"{before}pass?~word>>{before}".encode(encoding))
    runs = of_all(["pass?~word>>"]).runs
    assert any(run in encoded for run in runs)
    assert any(run in encoded.translate(bytes.maketrans(b"+/", b"-_")) for run in runs)


def test_bytes_that_are_no_unicode() -> None:
    secret = b"caf\xe9-secret".decode("utf-8", "surrogateescape")
    assert b"caf\xe9-secret" in of_all([secret]).texts
    assert b"caf%E9-secret" in of_all([secret]).texts
