"""What has to be built, and why: each target's fingerprint against the image that the state remembers."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from .. import process, state, templates
from ..errors import ConfigError, Fault
from ..hcl import loads
from ..provisioners import STACKS, asset_folder, enabled_stacks
from . import plugins
from .compose import own_manifests
from .fingerprint import CONFIGURATION, Digests, changed_inputs, digest_of, fingerprint, tree_digest
from .mask import check_secret
from .references import variable_digests, workspace_files
from .results import Artifact, ArtifactFile, BuildResult, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from ..hcl import Attribute, Body
    from ..templates import Template
    from ..workspace import Workspace
    from .capabilities import Capabilities
    from .results import BuildOptions

# Variables that the build itself gives through PKR_VAR_*; they never decide the content of an image.
RUNTIME_PREFIX = "hybridcore_"


@dataclass(frozen=True)
class Planned:
    """One target of a batch, before it is built.

    Attributes:
        template: what its files say.
        config: the file of its rendered configuration.
        text: its rendered configuration.
        fingerprint: over all inputs.
        inputs: digest or version of each input, by name.
        files: digests of the files of each folder among the inputs, and of each value of the configuration.
        reasons: why it must be built; empty when the image is there and nothing changed.
        image: what the state remembers of the image, or None.
        manifest: path of its manifest, relative to the workspace, or None.
    """

    template: Template
    config: Path
    text: str = field(repr=False)
    fingerprint: str
    inputs: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]]
    reasons: tuple[str, ...]
    image: Mapping[str, Any] | None = field(repr=False)
    manifest: str | None = None


def plan(
    targets: Sequence[str],
    *,
    env: str,
    workspace: Workspace,
    capabilities: Capabilities,
    options: BuildOptions,
    configs: Mapping[str, str] | None = None,
) -> list[Planned]:
    """Find out what has to be built. Reads only, but for the cache of digests.

    Args:
        targets: ``<os>/<platform>/<name>``.
        env: name of the environment.
        workspace: where everything lies.
        capabilities: of the Packer that would build.
        options: how to build: ``force`` builds also what is unchanged, ``only`` and ``except_`` decide what
            an image is made of, ``extra_env`` may give variables, and ``secrets`` some that are no inputs.
        configs: rendered configuration that is not written yet, by target; as in check mode.

    Returns:
        One entry a target, in the order of the targets.

    Raises:
        ConfigError: a target has no configuration, or a secret is missing or too short; has faults, all of
            them.
        TemplatesError: a target is missing or breaks the conventions.
    """
    loaded = templates.load_all(targets, workspace)
    remembered = state.read(workspace=workspace)
    digests = Digests(workspace)
    environ = {**os.environ, **options.extra_env}
    installed = plugins.installed(environ, capabilities.path) if capabilities.has_init else {}
    faults = short_secrets(options)
    planned = []
    for template in loaded:
        config = workspace.config_file(env, template.target)
        text = (configs or {}).get(template.target)
        if text is None and not config.is_file():
            hint = f"packer-hybrid config render --env {env} {template.target}"
            faults.append(
                Fault(f"{template.target} has no configuration", file=workspace.relative(config), hint=hint)
            )
            continue
        faults += missing_secrets(template, options.secrets, environ, workspace)
        if text is None:
            text = config.read_text(encoding="utf-8")
        inputs, files = gather(
            template,
            text,
            remembered,
            workspace=workspace,
            capabilities=capabilities,
            installed=installed,
            digests=digests,
            environ=environ,
            secrets=options.secrets,
        )
        for name, patterns in (("only", options.only), ("except", options.except_)):
            if patterns:
                inputs[name] = ",".join(patterns)
        image = remembered["images"].get(f"{env}/{template.target}")
        mark = fingerprint(inputs)
        if mark != (image or {}).get("fingerprint"):
            files[CONFIGURATION] = variable_digests(text)
        reasons = _reasons(image, mark, inputs, files, workspace, digests, f"{env}/{template.target}")
        if options.force and not reasons:
            reasons = ["forced"]
        if reasons and CONFIGURATION not in files:
            files[CONFIGURATION] = variable_digests(text)
        manifest = (remembered["manifests"].get(f"{env}/{template.target}") or {}).get("path")
        planned.append(Planned(template, config, text, mark, inputs, files, tuple(reasons), image, manifest))
    digests.save()
    if faults:
        raise ConfigError("targets cannot be built", faults=faults)
    return planned


def gather(
    template: Template,
    config: str,
    remembered: Mapping[str, Any],
    *,
    workspace: Workspace,
    capabilities: Capabilities,
    installed: Mapping[str, Sequence[str]],
    digests: Digests,
    environ: Mapping[str, str],
    secrets: Collection[str] = (),
) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """Collect the inputs of one target.

    Args:
        template: what its files say.
        config: its rendered configuration.
        remembered: the state, for the SHAs of the sources.
        workspace: where everything lies.
        capabilities: of the Packer that would build.
        installed: versions of the plugins beside it, by source address. All count: which one a build uses
            depends on what the template asks for, and on how this Packer sorts them.
        digests: of files.
        environ: the environment of the build.
        secrets: names of the variables that the caller gives as secrets.

    Returns:
        The inputs, and the files of each folder among them. What the template names elsewhere in the
        workspace counts as well; sources do, by their commit, when it names their folder or a file in it;
        and what comes from the environment when the template declares it, the configuration does not set
        it, and it is no secret.
    """
    folders = {workspace.relative(template.folder): template.folder}
    enabled = enabled_stacks(template.variable_names())
    for stack in enabled:
        folder = asset_folder(stack, workspace)
        folders[workspace.relative(folder)] = folder
    # A stack that is switched off runs nothing, though the template names its files.
    off = [
        asset_folder(stack, workspace)
        for stack in STACKS
        if stack.variable in template.variable_names() and stack not in enabled
    ]
    commits = {name: source["sha"] for name, source in remembered["sources"].items() if source.get("sha")}
    without = [*folders.values(), *off]
    inputs: dict[str, str] = {}
    for path in workspace_files(template, config, workspace):
        if any(path.is_relative_to(folder) for folder in without):
            continue
        inside = [name for name in commits if path.is_relative_to(workspace.sources / name)]
        if inside:
            inputs |= {f"source {name}": commits[name] for name in inside}
            continue
        name = workspace.relative(path)
        if path.is_dir():
            folders[name] = path
        else:
            inputs[name] = digests.file(path)
    files: dict[str, Mapping[str, str]] = {name: digests.tree(folder) for name, folder in folders.items()}
    own, written = workspace.relative(template.folder), own_manifests(template)
    files[own] = {name: digest for name, digest in files[own].items() if name not in written}
    inputs |= {name: tree_digest(tree) for name, tree in files.items()}
    inputs[CONFIGURATION] = digest_of(config.encode())
    inputs["packer"] = capabilities.version
    if capabilities.has_init:
        for source in plugins.required(template):
            inputs[f"plugin {source}"] = ", ".join(installed.get(source, ())) or "built in"
    text = "\n".join(
        attribute.expression
        for _, body in template.bodies
        for attribute in _all_attributes(body)
        if "sources/" in attribute.expression
    )
    for name, commit in commits.items():
        # Not sources/exam in sources/example; a name goes on with these characters.
        if re.search(rf"(?<![\w.-])sources/{re.escape(name)}(?![\w.-])", text):
            inputs[f"source {name}"] = commit
    given = {
        name: environ[f"PKR_VAR_{name}"]
        for name in template.variable_names() - template.sensitive_names() - set(secrets)
        if f"PKR_VAR_{name}" in environ and not name.startswith(RUNTIME_PREFIX)
    }
    # What is set in the configuration wins: Packer never sees the one from the environment.
    for name in sorted(given.keys() - (loads(config).attributes.keys() if given else set())):
        inputs[f"PKR_VAR_{name}"] = digest_of(given[name].encode("utf-8", "surrogateescape"))
    return inputs, files


def _all_attributes(body: Body) -> Iterator[Attribute]:
    yield from body.attributes.values()
    for block in body.blocks:
        yield from _all_attributes(block.body)


def short_secrets(options: BuildOptions) -> list[Fault]:
    """The secrets of a whole batch that are too short to be masked.

    Args:
        options: ``secrets`` count, and what ``extra_env`` adds to our environment.

    Returns:
        A fault for each of ``secrets``, and for each variable of a platform or a proxy.
    """
    given = (check_secret(name, value) for name, value in options.secrets.items())
    faults = [fault for fault in given if fault]
    inherited: dict[str, Fault] = {}
    for name, value in process.named_secrets(process.child_environment(options.extra_env)):
        if short := check_secret(name, value):
            hint = "use a longer one, or take the variable out of the environment"
            inherited.setdefault(name, Fault(short.message, hint=hint))
    return [*faults, *inherited.values()]


def missing_secrets(
    template: Template, secrets: Mapping[str, str], environ: Mapping[str, str], workspace: Workspace
) -> list[Fault]:
    """The sensitive variables that have no value, or one that is too short to be masked.

    Args:
        template: what its files say.
        secrets: values that the caller gives, by name.
        environ: the environment of the build.
        workspace: for the paths in the faults.

    Returns:
        A fault each, with the place of the declaration. An empty value is none to keep secret.
    """
    faults = []
    sensitive = template.sensitive_names()
    for name, path, block in template.variables():
        if name not in sensitive or name.startswith(RUNTIME_PREFIX) or name in secrets:
            continue
        where, line = workspace.relative(path), block.line
        value: object = environ.get(f"PKR_VAR_{name}")
        default = block.body.attributes.get("default")
        if value is None and default is None:
            hint = f"give it in secrets, or in the environment as PKR_VAR_{name}"
            message = f"the sensitive variable {name!r} has no value"
            faults.append(Fault(message, file=where, line=line, hint=hint))
            continue
        if value is None and default is not None and default.constant:
            value = default.value
        if isinstance(value, str) and value and (short := check_secret(name, value)):
            faults.append(Fault(short.message, file=where, line=line, hint=short.hint))
    return faults


def _reasons(
    image: Mapping[str, Any] | None,
    mark: str,
    inputs: Mapping[str, str],
    files: Mapping[str, Mapping[str, str]],
    workspace: Workspace,
    digests: Digests,
    key: str,
) -> list[str]:
    """Why an image must be built; nothing when it need not be."""
    if image is None or not image.get("fingerprint"):
        attempt = (image or {}).get("last_attempt")
        return [f"never built: the last attempt was {attempt['status']}" if attempt else "never built"]
    if image["fingerprint"] != mark:
        before = read_files(workspace, key)
        reasons = changed_inputs(image.get("inputs") or {}, inputs, before, files)
        return reasons or ["the inputs changed"]
    return lost_files(image, workspace, digests)


def lost_files(image: Mapping[str, Any], workspace: Workspace, digests: Digests) -> list[str]:
    """The files of an image that are gone, or are not what was built.

    Args:
        image: what the state remembers; an artifact without files, as in a cloud, is taken to be there.
        workspace: the paths are relative to it.
        digests: of files; one whose times and size are the same is not read again.

    Returns:
        A sentence each.
    """
    found = []
    for artifact in image["artifacts"]:
        for file in artifact["files"]:
            path = workspace.root / file["path"]
            try:
                same = path.stat().st_size == file["size"] and (
                    not file["sha256"] or digests.file(path) == file["sha256"]
                )
            except OSError:
                found.append(f"{file['path']} is gone")
                continue
            if not same:
                found.append(f"{file['path']} is not what was built")
    return found


def unchanged(plan: Planned) -> BuildResult:
    """The result of a target that need not be built: what the state remembers of its image."""
    image = plan.image or {}
    return BuildResult(
        target=plan.template.target,
        builder=plan.template.builder,
        status=Status.UNCHANGED,
        artifacts=artifacts_from_state(image),
        fingerprint=plan.fingerprint,
        log_path=image.get("log_path"),
        manifest_path=plan.manifest,
    )


def artifacts_from_state(image: Mapping[str, Any]) -> tuple[Artifact, ...]:
    """The artifacts of an image as the state remembers them."""
    return tuple(
        Artifact(
            entry["id"],
            entry.get("builder_id", ""),
            tuple(
                ArtifactFile(file["path"], file["size"], file.get("sha256", ""))
                for file in entry.get("files", [])
            ),
        )
        for entry in image.get("artifacts") or []
    )


def files_record(workspace: Workspace, key: str) -> Path:
    """Where the digests of an image's input files are kept."""
    return workspace.state_dir / "inputs" / f"{key}.json"


def read_files(workspace: Workspace, key: str) -> dict[str, dict[str, str]]:
    """The digests of an image's input files at its last build; empty when they are not known."""
    try:
        loaded = json.loads(files_record(workspace, key).read_bytes())
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def write_files(workspace: Workspace, key: str, files: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the digests of an image's input files, for the next run to say which one changed."""
    path = files_record(workspace, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(files, sort_keys=True), encoding="utf-8")
    temporary.replace(path)
