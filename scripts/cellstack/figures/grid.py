"""Panels of a stack along z at true scale, in a grid."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.core.types import Spacing
from cellstack.figures import drawing

MAX_WIDTH, MAX_HEIGHT = 1740, 1200  # pixels of all panels together
MIN_WIDTH, MIN_PANEL_WIDTH = 1000, 190  # pixels, for the header and for the caption of a panel
HEADING, CAPTION, GAP = 38, 24, 14  # pixels above all panels, above each panel, between panels


class Grid(NamedTuple):
    """The arrangement of panels in a figure."""

    shape: tuple[int, ...]
    spacing: Spacing
    top: float
    """Where the grid begins, in pixels below the top of the figure."""
    scale: float
    """Pixels per um."""
    columns: int
    cell: tuple[float, float]
    """Width and height of a panel with its caption and the gap to the next one, in pixels."""
    size: tuple[float, float]
    """Of the figure in pixels."""

    def add_scale_bar(self, figure: Figure) -> None:
        """Draw a scale bar at the right end of the heading."""
        width = self.shape[2] * self.spacing[2]
        length = drawing.round_length(width / (5 if self.columns == 1 else 2))
        right, bottom = self.size[0] - drawing.MARGIN, self.top + HEADING - 10
        drawing.scale_bar(figure, right, bottom, self.scale, length)

    def add_panel(self, figure: Figure, number: int, caption: str) -> Axes:
        """Add a panel, numbered from 0 along the rows of the grid, with a caption above it."""
        x = drawing.MARGIN + number % self.columns * self.cell[0]
        y = self.top + HEADING + number // self.columns * self.cell[1]
        drawing.add_text(figure, x, y, drawing.shorten(figure, caption, self.cell[0] - GAP))
        extent = drawing.image_extent(self.shape[1:], self.spacing[1:])
        return drawing.add_panel(figure, x, y + CAPTION, extent, self.scale)


def lay_out(shape: tuple[int, ...], spacing: Spacing, count: int, top: float) -> Grid:
    """Arrange panels so that they are as large as possible.

    Parameters
    ----------
    shape : (3,) tuple of int
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    count : int
        Number of panels.
    top : float
        Height of the header in pixels.

    Returns
    -------
    Grid
    """
    _, height, width = (size * step for size, step in zip(shape, spacing, strict=True))

    def scale_of(columns: int) -> float:
        rows = -(-count // columns)
        return min(
            ((MAX_WIDTH + GAP) / columns - GAP) / width,
            (MAX_HEIGHT / rows - CAPTION - GAP) / height,
        )

    columns = max(range(1, count + 1), key=scale_of)
    scale = scale_of(columns)
    cell = (max(width * scale, MIN_PANEL_WIDTH) + GAP, CAPTION + height * scale + GAP)
    across = columns * cell[0] - GAP
    down = -(-count // columns) * cell[1] - GAP
    size = (2 * drawing.MARGIN + max(MIN_WIDTH, across), top + HEADING + down + drawing.MARGIN)
    return Grid(shape, spacing, top, scale, columns, cell, size)
