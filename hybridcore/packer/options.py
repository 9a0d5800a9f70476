"""How a batch is to be built."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class OnError(StrEnum):
    """What Packer does with a half-built machine when a step fails (``-on-error``)."""

    CLEANUP = "cleanup"
    ABORT = "abort"
    RUN_CLEANUP_PROVISIONER = "run-cleanup-provisioner"


@dataclass(frozen=True)
class BuildOptions:
    """How a batch is to be built; the same for every target of it.

    Attributes:
        only: builds to run, glob patterns as Packer's ``-only`` takes them; all when empty.
        except_: builds and post-processors to leave out, as ``-except`` takes them.
        on_error: what Packer does with a half-built machine when a step fails.
        parallel_builds: Packer processes at a time; 0 means the workspace's setting.
        force: build also what is unchanged, and overwrite what is there (``-force``).
        timeout: seconds for the build of one target, all attempts together; 0 means no limit.
        retries: how often a build is tried again after an error that may pass.
        retry_delay: seconds before the first retry; doubles with each one.
        lock_timeout: seconds to wait for somebody else who builds the same target; 0 refuses at once.
        secrets: values of sensitive variables by name; they reach Packer in its environment only.
        extra_env: more variables for Packer's environment, by name.
    """

    only: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    on_error: OnError = OnError.CLEANUP
    parallel_builds: int = 0
    force: bool = False
    timeout: float = 0.0
    retries: int = 0
    retry_delay: float = 5.0
    lock_timeout: float = 0.0
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra_env: Mapping[str, str] = field(default_factory=dict, repr=False)
