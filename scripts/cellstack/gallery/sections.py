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

from collections.abc import Mapping
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


def describe_block(note: str, block: Mapping[str, Any] | None) -> str:
    """Add to the note of a page which block of a stack it shows.

    Parameters
    ----------
    note : str
        It may be empty.
    block : dict or None
        ``name`` and ``extent`` of the block, which has a range along each axis; None if the stack
        is not cut.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_block("", {"name": "0-1", "extent": [[0, 9], [5, 20], [0, 30]]})[:57]
    'Block 0-1 of the stack is shown, with its overlap: voxels'
    """
    if block is None:
        return note
    voxels = ", ".join(
        f"{axis} {start} to {stop - 1}"
        for axis, (start, stop) in zip("zyx", block["extent"], strict=True)
    )
    shown = (
        f"Block {block['name']} of the stack is shown, with its overlap: voxels {voxels}. "
        "Planes and positions count from the first of them"
    )
    return f"{note}. {shown}" if note else shown
