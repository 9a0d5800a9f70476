"""What a build that was cut off may leave on its platform, and how long Packer has to prevent it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import HclError
from ...hcl import NotEvaluable, evaluate
from ...process.children import GRACE_S

if TYPE_CHECKING:
    from ...templates import Template
    from ..planning.rendered import Rendered


def left_behind(template: Template, rendered: Rendered) -> str:
    """What a killed Packer may leave where only a person can remove it; an empty text when nothing.

    Args:
        template: what its files say.
        rendered: its configuration.
    """
    if template.platform.local:
        return ""
    attributes = template.attributes
    named = []
    for name in template.platform.leaves:
        if name in attributes:
            try:
                value = evaluate(attributes[name], {"var": rendered.values})
            except (NotEvaluable, HclError):
                value = attributes[name].expression
            named.append(f"{name} = {value}")
    what = f" ({', '.join(named)})" if named else ""
    return f"Packer could not clean up: {template.builder} may have left a machine{what}; look, and remove it"


def grace(template: Template) -> float:
    """Seconds that Packer has to clean up when a build is cut off, before it is killed.

    Args:
        template: the target.
    """
    return GRACE_S if template.platform.local else template.platform.grace_s
