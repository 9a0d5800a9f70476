"""The inputs of a target: all that decides the content of its image."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...provisioners import asset_folder, enabled_stacks, stacks
from ...templates.slices import Slice
from ..passing import is_secret
from ..program import plugins
from .fingerprint import CONFIGURATION, digest_of, tree_digest
from .layout import own_manifests
from .references import follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ...errors import Fault
    from ...provisioners.stacks import Stack
    from ...state.types import SourceEntry
    from ...templates import Template
    from ...workspace import Workspace
    from ..options import BuildOptions
    from ..program.capabilities import Capabilities
    from .fingerprint import Digests
    from .rendered import Rendered


@dataclass(frozen=True)
class Inputs:
    """What decides the content of one image.

    Attributes:
        digests: digest or version of each input, by name.
        files: digests of the files of each folder among them.
        configuration: digests of the values that are one of them, by variable.
        places: where the files and folders among them are named: file, line and attribute.
        unfollowed: what the template may read and nobody can know before the build.
    """

    digests: dict[str, str]
    files: dict[str, Mapping[str, str]]
    configuration: Mapping[str, str]
    places: Mapping[str, str]
    unfollowed: tuple[Fault, ...]


def gather(
    template: Template,
    rendered: Rendered,
    sources: Mapping[str, SourceEntry],
    *,
    workspace: Workspace,
    capabilities: Capabilities,
    installed: Mapping[str, Mapping[str, Path]],
    digests: Digests,
    environ: Mapping[str, str],
    options: BuildOptions,
) -> Inputs:
    """Collect the inputs of one target.

    Args:
        template: what its files say.
        rendered: its configuration.
        sources: what the state remembers of the sources, for their commits.
        workspace: where everything lies.
        capabilities: of the Packer that would build.
        installed: the plugins that it finds, as ``plugins.installed`` gives them. Of each that the template
            requires the one counts that is used.
        digests: of files.
        environ: the environment of the build.
        options: ``secrets`` are no inputs; ``only``, ``except_`` and ``extra_env`` are.

    Returns:
        The inputs. What the template names elsewhere in the workspace counts as well; sources do, by their
        commit, when it names their folder or a file in it; and what comes from the environment when the
        template reads it, or declares it and the configuration does not set it, and it is no secret.
    """
    own = workspace.relative(template.folder)
    folders = {} if template.slice else {own: template.folder}
    enabled = enabled_stacks(rendered.values_for(template))
    for stack in enabled:
        folder = asset_folder(stack, workspace)
        folders[workspace.relative(folder)] = folder
    off = _folders_off(template, enabled, workspace)
    commits = {name: sha for name, source in sources.items() if (sha := source.get("sha"))}
    without = [*folders.values(), *off]
    inputs: dict[str, str] = {}
    found = follow(template, rendered, workspace, environ)
    for path in (*found.files, *_more_files(template)):
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
            inputs[name] = digests.input(path)
    files: dict[str, Mapping[str, str]] = {name: digests.tree(folder) for name, folder in folders.items()}
    if template.slice:
        files[f"template {workspace.relative(template.argument)}"] = template.slice.digests()
    else:
        written = own_manifests(template, rendered, environ)
        files[own] = {name: digest for name, digest in files[own].items() if name not in written}
    inputs |= {name: tree_digest(tree) for name, tree in files.items()}
    # The values, not the text, whose comments say where the values come from.
    configuration = rendered.digests_for(template)
    inputs[CONFIGURATION] = tree_digest(configuration)
    inputs["packer"] = capabilities.version
    if capabilities.has_init:
        for source, constraints in plugins.required(template).items():
            there = installed.get(source, {})
            version = plugins.used(constraints, there, capabilities.plugin_order)
            inputs[f"plugin {source}"] = version or "built in"
            if version:
                inputs[f"program {source}"] = digests.file(there[version])
    text = "\n".join(
        attribute.expression for *__, attribute in template.used() if "sources/" in attribute.expression
    )
    for name, commit in commits.items():
        # These characters are part of a name: sources/exam is not named by sources/example.
        if re.search(rf"(?<![\w.-])sources/{re.escape(name)}(?![\w.-])", text):
            inputs[f"source {name}"] = commit
    inputs |= _from_environment(template, rendered, environ, options, found.environment)
    for name, patterns in (("only", options.only), ("except", options.except_)):
        if patterns:
            inputs[name] = ",".join(sorted(set(patterns)))
    places = {workspace.relative(path): place for path, place in found.places.items() if place}
    return Inputs(inputs, files, configuration, places, found.unfollowed)


def _folders_off(template: Template, enabled: Sequence[Stack], workspace: Workspace) -> list[Path]:
    """The assets of the stacks that are switched off: they run nothing, though the template names them."""
    return [
        asset_folder(stack, workspace)
        for stack in stacks.STACKS
        if stack.variable in template.variable_names() and stack not in enabled
    ]


def never_observed(
    template: Template, rendered: Rendered, workspace: Workspace, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """The files and folders that are no inputs of an image, although Packer may open them for it.

    They belong to a stack that is switched off, or to another part of a template of which the image uses a
    part: Packer evaluates all expressions, whatever is selected.

    Args:
        template: the target.
        rendered: its configuration.
        workspace: where everything lies.
        environ: the environment of the build.

    Returns:
        Paths relative to the workspace.
    """
    paths = _folders_off(template, enabled_stacks(rendered.values_for(template)), workspace)
    if template.slice is not None:
        whole = replace(template, slice=Slice.whole(template.bodies))
        paths += follow(whole, rendered, workspace, environ).files
    return tuple(map(workspace.relative, paths))


def add_observed(
    found: Inputs, observed: Sequence[str], workspace: Workspace, digests: Digests
) -> tuple[str, ...]:
    """Add the inputs that nothing names and the last build was seen to read.

    Args:
        found: the inputs that are known; gets more.
        observed: paths of files, relative to the workspace.
        workspace: where they lie.
        digests: of files.

    Returns:
        Those that were added: they are there, and count in no other way.
    """
    added = []
    for path in observed:
        folder, __, name = path.rpartition("/")
        named = path in found.digests
        while folder and not named:
            named = name in found.files.get(folder, {})
            folder, __, last = folder.rpartition("/")
            name = f"{last}/{name}"
        if not named and (workspace.root / path).is_file():
            found.digests[path] = digests.input(workspace.root / path)
            added.append(path)
    return tuple(added)


def _more_files(template: Template) -> list[Path]:
    """The files that ``inputs`` of the settings names."""
    patterns = template.setting.inputs if template.setting else ()
    root = template.workspace.root
    names = {name for one in patterns for name in glob.glob(one, root_dir=root, recursive=True)}
    return [root / name for name in sorted(names) if (root / name).is_file()]


def _from_environment(
    template: Template,
    rendered: Rendered,
    environ: Mapping[str, str],
    options: BuildOptions,
    read: Mapping[str, str],
) -> dict[str, str]:
    """What the environment decides: variables of the template, what it reads, and what the caller adds."""
    # What is set in the configuration wins: Packer never sees the one from the environment.
    variables = {
        f"PKR_VAR_{name}": environ[f"PKR_VAR_{name}"]
        for name, variable in template.variables.items()
        if f"PKR_VAR_{name}" in environ
        and not (variable.sensitive or variable.runtime or name in options.secrets)
        and name not in rendered.attributes
        and template.uses(name)
    }
    others = {
        f"env {name}": value
        for name, value in {**options.extra_env, **read}.items()
        if not (name.startswith("PKR_VAR_") or is_secret(name, template))
    }
    return {
        name: digest_of(value.encode("utf-8", "surrogateescape"))
        for name, value in sorted({**variables, **others}.items())
    }
