"""The options of a build: each is declared once, as a field of ``BuildOptions``.

The command line and the argument spec of ``packer_build`` are made from this table; what people read of it,
the module's documentation and the roles, is compared with it by ``tests/unit/packer/test_options.py``.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class OnError(StrEnum):
    """What Packer does with a half-built machine when a step fails (``-on-error``)."""

    CLEANUP = "cleanup"
    ABORT = "abort"
    RUN_CLEANUP_PROVISIONER = "run-cleanup-provisioner"


def _about(
    text: str, *, metavar: str = "", flag: str = "", secret: bool = False
) -> dict[str, str | bool | None]:
    """What ``Option`` has besides the field itself."""
    return {"help": text, "metavar": metavar or None, "flag": flag, "secret": secret}


@dataclass(frozen=True)
class BuildOptions:
    """How a batch is to be built; the same for every target of it.

    Attributes:
        only: builds to run, glob patterns as Packer's ``-only`` takes them; all when empty.
        except_: builds and post-processors to leave out, as ``-except`` takes them.
        on_error: what Packer does with a half-built machine when a step fails.
        parallel_builds: Packer processes at a time; 0 means the workspace's setting.
        force: build also what is unchanged, and overwrite what is there (``-force``).
        init: install the plugins that targets require first.
        allow_revoked: build also on a parent that is revoked or incomplete; that it was allowed is recorded.
        max_age: build an image again that is older, as in ``7d``; instead of what target or environment say.
        offline: use the network for nothing that we bring: sources, plugins and base images come from the
            mirror of the workspace, or are there.
        timeout: seconds for the build of one target, all attempts together; 0 means no limit.
        retries: how often a build is tried again after an error that may pass.
        retry_delay: seconds before the first retry; doubles with each one.
        lock_timeout: seconds to wait for somebody else who builds the same target; 0 refuses at once.
        secrets: values of sensitive variables by name; they reach Packer in its environment only.
        extra_env: more variables for Packer's environment, by name.
    """

    only: tuple[str, ...] = field(default=(), metadata=_about("as packer build -only", metavar="PATTERN"))
    except_: tuple[str, ...] = field(default=(), metadata=_about("as -except", metavar="PATTERN"))
    on_error: OnError = field(
        default=OnError.CLEANUP, metadata=_about("what Packer does with the machine when a step fails")
    )
    parallel_builds: int = field(default=0, metadata=_about("Packer processes at a time", metavar="N"))
    force: bool = field(default=False, metadata=_about("build also what is unchanged"))
    init: bool = field(
        default=False, metadata=_about("install the plugins that targets require first (Packer 1.7 or newer)")
    )
    allow_revoked: bool = field(
        default=False, metadata=_about("build also on a parent that is revoked or incomplete")
    )
    max_age: str = field(
        default="",
        metadata=_about("build also what is older, as in 7d; units s, m, h, d, w", metavar="AGE"),
    )
    offline: bool = field(
        default=False, metadata=_about("bring sources, plugins and base images from the mirror alone")
    )
    timeout: float = field(
        default=0.0, metadata=_about("for each target, retries included", metavar="SECONDS")
    )
    retries: int = field(default=0, metadata=_about("after errors that may pass", metavar="N"))
    retry_delay: float = field(
        default=5.0,
        metadata=_about(
            "before the first retry, 5 if not given; doubles with each, up to 300", metavar="SECONDS"
        ),
    )
    lock_timeout: float = field(
        default=0.0, metadata=_about("to wait for another build of the same target", metavar="SECONDS")
    )
    secrets: Mapping[str, str] = field(
        default_factory=dict,
        repr=False,
        metadata=_about(
            "a sensitive variable; its value is in PKR_VAR_NAME", metavar="NAME", flag="--secret", secret=True
        ),
    )
    extra_env: Mapping[str, str] = field(
        default_factory=dict,
        repr=False,
        metadata=_about(
            "an environment variable that Packer gets too, with its value here",
            metavar="NAME",
            flag="--env-var",
        ),
    )

    def for_a_parent(self) -> BuildOptions:
        """How a target is built that nobody asked for, since one that was asked for starts from it."""
        return replace(self, only=(), except_=(), force=False, max_age="")


@dataclass(frozen=True)
class Option:
    """One option of a build.

    Attributes:
        field: its name in ``BuildOptions``.
        default: its value when nobody gives one, whose type is that of the option.
        help: what it is, in half a sentence.
        metavar: what stands for its value on the command line.
        flag: how the command line spells it.
        secret: whether its values are secrets.
    """

    field: str
    default: object
    help: str
    metavar: str | None
    flag: str
    secret: bool

    @property
    def name(self) -> str:
        """What people call it; the field of a name that Python has taken ends in ``_``."""
        return self.field.rstrip("_")

    @property
    def kind(self) -> type:
        """``bool``, ``int``, ``float``, ``str``, ``tuple`` of texts, or ``dict`` of texts by name."""
        return str if self.choices else type(self.default)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it may have; empty when any is good."""
        return tuple(map(str, type(self.default))) if isinstance(self.default, StrEnum) else ()

    def typed(self, value: object) -> object:
        """A value as an adapter got it, with the type of the field."""
        return type(self.default)(value) if self.choices or self.kind is tuple else value  # type: ignore[call-arg]


def table() -> tuple[Option, ...]:
    """Every option of a build."""
    return tuple(
        Option(
            field=one.name,
            default=one.default if one.default_factory is MISSING else one.default_factory(),
            **{**one.metadata, "flag": one.metadata["flag"] or f"--{one.name.strip('_').replace('_', '-')}"},
        )
        for one in fields(BuildOptions)
    )


def made_from(values: Mapping[str, object]) -> BuildOptions:
    """The options of a build from what an adapter got.

    Args:
        values: by the name that people use.
    """
    given = {one.field: one.typed(values[one.name]) for one in table() if one.name in values}
    return BuildOptions(**given)  # type: ignore[arg-type]
