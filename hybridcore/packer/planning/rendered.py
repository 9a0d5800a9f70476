"""The rendered configuration of a target: its text, and the values in it, parsed when needed, once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ...hcl import loads
from .fingerprint import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...hcl import Attribute, Value
    from ...templates import Template


class Rendered:
    """What Packer gets as a file of variables.

    Args:
        text: HCL, as ``config`` renders it.

    Attributes:
        text: the same.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The assignments by variable."""
        return loads(self.text).attributes

    @cached_property
    def values(self) -> dict[str, Value]:
        """The values by variable; those that are no constants are left out."""
        return {name: one.value for name, one in self.attributes.items() if one.constant}

    def digests(self) -> dict[str, str]:
        """A digest of each value, by variable, to tell which one changed."""
        return {name: digest_of(one.expression.encode()) for name, one in self.attributes.items()}

    def digests_for(self, template: Template) -> dict[str, str]:
        """The digests of the values that an image uses, sorted.

        Args:
            template: the target.
        """
        return {name: one for name, one in sorted(self.digests().items()) if template.uses(name)}

    def values_for(self, template: Template) -> dict[str, Value]:
        """The values of a template's variables, as far as they are constant.

        Args:
            template: declares them, with defaults.
        """
        return {
            name: variable.default
            for name, variable in template.variables.items()
            if not variable.required and not variable.computed
        } | self.values
