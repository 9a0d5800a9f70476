"""Which variables of the environment a template reads, by its text alone."""

from __future__ import annotations

from pathlib import Path

from hybridcore import hcl
from hybridcore.templates.reads import Reads, read_by


def reads(*texts: str) -> Reads:
    return read_by([(Path(f"{number}.pkr.hcl"), hcl.loads(text)) for number, text in enumerate(texts)])


def test_names_in_defaults_wherever_they_stand() -> None:
    found = reads(
        'variable "a" {\n  default = env("ALPHA")\n}\n',
        'variables {\n  b = upper(env("BETA"))\n  c = "${env("GAMMA")}-x"\n}\n',
        'variable "d" {\n  default = env(join("_", ["DEL", "TA"]))\n}\n',
    )
    assert found.names == ("ALPHA", "BETA", "DEL_TA", "GAMMA")


def test_functions_that_ask_somebody() -> None:
    found = reads(
        'locals {\n  a = vault("x", "y")\n  b = "env(NOT_A_CALL)"\n}\n',
        'source "null" "x" {\n  y = consul_key("z")\n}\n',
    )
    assert found.names == ()
    assert {"vault", "consul_key"} <= set(found.functions)


def test_a_text_without_calls_reads_nothing() -> None:
    assert reads('variable "vault" {\n  default = "env"\n}\nlocals {\n  x = 1 + 2\n}\n') == Reads()
