"""Sections of the gallery: the parameters and the result of a comparison.

The comparisons (``compare_background``, ``compare_contrast``, ...) have these common parameters:

spacing : (3,) sequence of float
    Voxel size along z, y, x in um.
view : View
    Part of the stack that is shown, see :mod:`cellstack.gallery.views`.
panels : list of Panel
    Settings to compare, see :func:`cellstack.config.gallery_panels.list_panels`. There is a
    picture for each.

Each returns a :class:`Section`, which is stored as JSON until all sections of a stack are put on
one page. Results are computed on the region of the view alone, unless stated otherwise.
"""

from typing import Any, NotRequired, TypedDict


class Panel(TypedDict):
    """Settings of a stage, shown by one picture."""

    title: str
    snippet: NotRequired[dict[str, Any]]
    """Piece of configuration with these settings."""
    arguments: NotRequired[dict[str, Any]]
    """The settings as arguments of the function of the stage."""
    is_own: NotRequired[bool]
    """Whether they are the settings of the stack at hand."""
    stage: NotRequired[str]
    """The stage with these settings, in a comparison of several stages."""
    image: NotRequired[str]
    """Image of a stage, see :func:`cellstack.gallery.show_stages.show_stages`."""


class DrawnPanel(TypedDict):
    """A panel with its picture."""

    title: str
    snippet: dict[str, Any] | None
    is_own: bool
    png: str | None
    """PNG file in base64, or None if there is no picture."""
    width: int
    """Width of the picture in pixels."""
    alt: str
    """Description for readers who cannot see the picture."""
    caption: str


class Section(TypedDict):
    """A section of the gallery."""

    title: str
    text: str
    panels: list[DrawnPanel]
    table: NotRequired[list[dict[str, Any]]]
    """Rows of a table below the panels, by column; None for an empty cell."""
