"""Fixtures of the state, which tests of other rooms use too."""

from tests.support.states import add_image, full, workspace

__all__ = ["add_image", "full", "workspace"]
