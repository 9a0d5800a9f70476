"""What has to be built, and why: each target's fingerprint against the image that the state remembers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ... import state
from ...errors import ConfigError, Fault
from ...images.known import Known
from ...sources.trees import differences
from ...templates.parents import parents_first
from ..options import BuildOptions
from ..passing import environment
from ..pinned.checks import refusals
from ..program import plugins
from ..results import Artifact, ArtifactFile, BuildResult, Parent, Status
from ..secrets import missing_secrets, short_secrets
from . import parents
from .fingerprint import CONFIGURATION, PARENT, Digests, changed_inputs, fingerprint
from .inputs import add_observed, gather
from .reasons import reasons
from .rendered import Rendered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ...images.lookup import Found
    from ...images.types import ParentOf
    from ...state.types import ImageEntry
    from ...templates import Template
    from ...templates.reads import Reads
    from ...workspace import Workspace
    from ..program.capabilities import Capabilities

# The input that a parent is of which no version can be used.
_NONE = "none"


@dataclass(frozen=True)
class Planned:
    """One target of a batch, before it is built.

    Attributes:
        template: what its files say.
        rendered: its configuration.
        fingerprint: over all inputs.
        inputs: digest or version of each input, by name.
        files: digests of the files of each folder among the inputs, and of each value of the configuration
            where it must be built.
        observed: those of the inputs that nothing names and the last build was seen to read.
        places: where the files and folders among the inputs are named: file, line and attribute.
        unfollowed: what the template may read and nobody can know before the build.
        reasons: why it must be built; empty when the image is there and nothing changed.
        image: what the state remembers of the image, or None.
        manifest: path of its manifest, relative to the workspace, or None.
        options: how it is built.
        parent: the version that it starts from, or None where it has no parent or there is no such version.
        waits: its parent is built first, in the same batch: only then ``fingerprint``, ``inputs`` and
            ``parent`` are those of the build.
        no_parent: why there is no version that it can start from; empty where there is, or it has no parent.
    """

    template: Template
    rendered: Rendered = field(repr=False)
    fingerprint: str
    inputs: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]]
    observed: tuple[str, ...]
    places: Mapping[str, str] = field(repr=False)
    unfollowed: tuple[Fault, ...]
    reasons: tuple[str, ...]
    image: ImageEntry | None = field(repr=False)
    manifest: str | None = None
    options: BuildOptions = field(default_factory=BuildOptions, repr=False)
    parent: Found | None = None
    waits: bool = False
    no_parent: str = ""

    @property
    def run_before(self) -> str | None:
        """The run that built the image which the state remembers; None where there is none."""
        return self.image.get("run") if self.image else None

    def result(self, status: Status) -> BuildResult:
        """What there is to say of the target before it is built.

        Args:
            status: how it ended, or would.
        """
        return BuildResult(
            target=self.template.target,
            builder=self.template.builder,
            status=status,
            fingerprint=self.fingerprint,
            reasons=self.reasons,
            parent=self._parent(),
        )

    @property
    def parent_record(self) -> ParentOf | None:
        """The version that it starts from, as the record of its own version has it."""
        parent = self.template.parent
        return parents.as_recorded(self.parent, parent) if parent and self.parent else None

    def _parent(self) -> Parent | None:
        parent = self.template.parent
        if parent is None:
            return None
        return Parent(parent.target, self.parent.version if self.parent and not self.waits else 0)


def plan(
    loaded: Sequence[Template],
    *,
    env: str,
    workspace: Workspace,
    capabilities: Capabilities,
    options: BuildOptions,
    rendered: Mapping[str, str] | None = None,
    joined: Collection[str] = (),
) -> list[Planned]:
    """Find out what has to be built. Reads only, but for the cache of digests.

    Args:
        loaded: the templates of the targets.
        env: name of the environment.
        workspace: where everything lies.
        capabilities: of the Packer that would build.
        options: how to build: ``force`` builds also what is unchanged, ``only`` and ``except_`` decide what
            an image is made of, ``extra_env`` may give variables, and ``secrets`` some that are no inputs.
        rendered: configuration by target, where the caller has it; the others' is read from ``configs/``.
        joined: those of the targets that nobody asked for and others start from: they are not forced, and no
            patterns of builds are meant for them.

    Returns:
        One entry a target, in the order of the targets. One whose parent is to be built is to be built too.

    Raises:
        ConfigError: a target has no configuration, a secret is missing or too short, a source that is used
            is not what was synced, or a plugin is not what was pinned; has faults, all of them.
    """
    remembered = state.read(workspace=workspace)
    digests = Digests(workspace)
    environ = plugins.environ_of(workspace, options.extra_env)
    installed = plugins.found_by(capabilities, environ)
    faults = short_secrets(options)
    if capabilities.has_init:
        faults += refusals(workspace, digests.file)
    environments: dict[Reads, Mapping[str, str]] = {}  # most templates read nothing of their own

    def packers_environ(template: Template) -> Mapping[str, str]:
        if template.reads not in environments:
            environments[template.reads] = environment(template, options)
        return environments[template.reads]

    known = Known(workspace, remembered)
    planned: dict[str, Planned] = {}
    by_target = {template.target: template for template in loaded}
    edges = {name: one.parent.target if one.parent else "" for name, one in by_target.items()}
    for template in map(by_target.__getitem__, parents_first(edges)):
        own = options.for_a_parent() if template.target in joined else options
        config = workspace.config_file(env, template.target)
        text = (rendered or {}).get(template.target)
        if text is None and not config.is_file():
            hint = f"packer-hybrid config render --env {env} {template.target}"
            faults.append(
                Fault(f"{template.target} has no configuration", file=workspace.relative(config), hint=hint)
            )
            continue
        faults += missing_secrets(template, options.secrets, packers_environ(template))
        if template.only and own.only:
            message = f"{template.target} is one build of its template: it takes no patterns of builds"
            faults.append(Fault(message, hint=f"leave `only` out; the image is {template.only[-1]}"))
        if text is None:
            text = config.read_text(encoding="utf-8")
        values = Rendered(text)
        found = gather(
            template,
            values,
            remembered["sources"],
            workspace=workspace,
            capabilities=capabilities,
            installed=installed,
            digests=digests,
            environ=environ,
            options=own,
        )
        inputs = found.digests
        start, problem = parents.parent_of(template, env, known, allow_revoked=own.allow_revoked)
        if template.parent:
            inputs[PARENT + template.parent.target] = parents.digest(start) if start else _NONE
        first = _built_first(template, planned)
        image = remembered["images"].get(f"{env}/{template.target}")
        seen = image.get("observed") if image else None
        observed = add_observed(found, seen or (), workspace, digests)
        files = {**found.files, CONFIGURATION: found.configuration}
        mark = fingerprint(inputs)
        why = reasons(
            template, env, known, mark=mark, inputs=inputs, files=files, digests=digests, options=own
        )
        if first:
            why.append(f"its parent {first.template.target} is built anew")
        if own.force and not why:
            why.append("forced")
        manifest = remembered["manifests"].get(f"{env}/{template.target}")
        planned[template.target] = Planned(
            template,
            values,
            mark,
            inputs,
            files if why else found.files,
            observed,
            found.places,
            found.unfollowed,
            tuple(why),
            image,
            manifest["path"] if manifest else None,
            own,
            start,
            first is not None,
            problem,
        )
    digests.save()
    faults += differences(_sources_of(list(planned.values())), workspace)
    if faults:
        raise ConfigError("targets cannot be built", faults=faults)
    return [planned[template.target] for template in loaded]


def _built_first(template: Template, planned: Mapping[str, Planned]) -> Planned | None:
    """The parent of a target where it is to be built too, so that the target waits for it."""
    parent = template.parent
    first = planned.get(parent.target) if parent and not parent.channel else None
    return first if first and first.reasons else None


def with_parent(planned: Planned, found: Found) -> Planned:
    """What is to be built of a target that waited, once its parent is there.

    Args:
        planned: the target.
        found: its parent, as it was built.
    """
    inputs = {**planned.inputs, PARENT + found.image.target: parents.digest(found)}
    return replace(planned, inputs=inputs, fingerprint=fingerprint(inputs), parent=found, waits=False)


def parent_faults(planned: Sequence[Planned], workspace: Workspace, env: str) -> list[Fault]:
    """The targets that cannot be built, since the image that they start from is not there.

    Args:
        planned: what is to be built, those that wait for their parents among them.
        workspace: where it lies.
        env: name of the environment, for what to do.
    """
    faults = []
    for one in planned:
        parent, setting = one.template.parent, one.template.setting
        if parent is None or setting is None or one.waits:
            continue
        problem = "" if one.parent else parents.no_parent(parent.target, one.no_parent)
        if one.parent and one.parent.path and not os.path.isfile(one.parent.path):
            lost = workspace.relative(Path(one.parent.path))
            problem = f"its parent {parent.target} has lost its file {lost}"
        if problem:
            faults.append(
                Fault(
                    f"{one.template.target}: {problem}",
                    file=setting.file,
                    line=setting.line,
                    hint=f"packer-hybrid build --env {env} {parent.target}",
                )
            )
    return faults


def changed_since(
    planned: Planned,
    *,
    workspace: Workspace,
    capabilities: Capabilities,
    digests: Digests,
) -> list[str]:
    """Look at the inputs of a target again: which are no longer what was planned, a few words each.

    Args:
        planned: the target.
        workspace: where everything lies.
        capabilities: of the Packer that builds.
        digests: of files; a file whose status is the same is not read again.
    """
    environ = plugins.environ_of(workspace, planned.options.extra_env)
    uses_sources = bool(_sources_of([planned]))
    try:
        now = gather(
            planned.template,
            planned.rendered,
            state.peek(workspace=workspace)["sources"] if uses_sources else {},
            workspace=workspace,
            capabilities=capabilities,
            installed=plugins.found_by(capabilities, environ),
            digests=digests.look_again(),
            environ=environ,
            options=planned.options,
        )
        add_observed(now, planned.observed, workspace, digests)
    except OSError as error:
        return [f"{error.filename} cannot be read any more: {error.strerror}"]
    # What it starts from was chosen when it began, whatever was built meanwhile.
    now.digests.update((name, one) for name, one in planned.inputs.items() if name.startswith(PARENT))
    return changed_inputs(planned.inputs, now.digests, planned.files, now.files)


def source_faults(planned: Planned, workspace: Workspace) -> list[Fault]:
    """The sources that a target uses and that are not, or no longer, what was synced."""
    return differences(_sources_of([planned]), workspace)


def _sources_of(planned: Sequence[Planned]) -> dict[str, str]:
    """The sources that targets use, each with the commit that counts as their input."""
    return {
        name.removeprefix("source "): commit
        for one in planned
        for name, commit in one.inputs.items()
        if name.startswith("source ")
    }


def unchanged(planned: Planned) -> BuildResult:
    """The result of a target that need not be built: what the state remembers of its image."""
    result = replace(planned.result(Status.UNCHANGED), manifest_path=planned.manifest)
    if planned.image is None:
        return result
    return replace(
        result, artifacts=artifacts_from_state(planned.image), log_path=planned.image.get("log_path")
    )


def artifacts_from_state(image: ImageEntry) -> tuple[Artifact, ...]:
    """The artifacts of an image as the state remembers them."""
    return tuple(
        Artifact(
            entry["id"],
            entry.get("builder_id") or "",
            tuple(
                ArtifactFile(file["path"], file.get("size") or 0, file.get("sha256") or "")
                for file in entry.get("files") or []
            ),
        )
        for entry in image.get("artifacts") or []
    )
