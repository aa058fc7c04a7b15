"""Figure of a segmentation plane by plane at true scale."""

from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from cellstack.core.counting import counted
from cellstack.core.labels import find_boxes
from cellstack.core.types import Boxes, Labels, Spacing
from cellstack.figures import drawing, outlines

MAX_PLANES = 12
MAX_WIDTH, MAX_HEIGHT = 1740, 1200  # pixels of all panels together
MIN_WIDTH, MIN_PANEL_WIDTH = 1000, 190  # pixels, for the header and for the caption of a panel
HEADING, CAPTION, GAP = 38, 24, 14  # pixels above all panels, above each panel, between panels


@drawing.default_style()
def plot_planes(
    raw: np.ndarray,
    segmentation: Labels,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    numbers: outlines.Numbers = MappingProxyType({}),
) -> Figure:
    """Draw the outlines of all objects over up to twelve evenly spaced planes that have objects.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        Intensities. All panels have the same grey range, the 0.5 to 99.5 percentiles of the
        planes shown.
    segmentation : (Z, Y, X) ndarray of uint16 or uint32
        All objects found. Each has the same colour in all planes.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    numbers : dict of int to (int, bool)
        Number of each measured object by its label in `segmentation`, and whether it is flagged.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per plane. The axes are labelled ``plane 0`` ... by the index of the plane in
        the stack, counted from 0 as in the tables.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    drawing.check_shapes(title, {"raw": raw, "segmentation": segmentation})
    boxes = find_boxes(segmentation)
    first = min((box[0].start for box in boxes.values()), default=0)
    stop = max((box[0].stop for box in boxes.values()), default=len(raw))
    planes = choose_planes(first, stop)
    top = drawing.header_height(note)
    scale, columns, cell, size = _lay_out(raw.shape, spacing, len(planes), top)
    colors = outlines.label_colors(boxes)
    lines = _trace(segmentation, boxes, spacing, planes)
    limits = drawing.display_range(*(raw[z] for z in planes))

    figure = drawing.new_figure(*size)
    summary = f" found, measured or not{outlines.count_flagged(numbers)}"
    drawing.add_header(figure, title, len(boxes), summary, raw.shape, spacing, note)
    caption = (
        "All planes"
        if len(planes) == len(raw)
        else f"{len(planes)} of {counted(len(raw), 'planes')}"
    )
    if first > 0 or stop < len(raw):
        caption += f" (objects in planes {first} to {stop - 1})"
    drawing.add_caption(figure, drawing.MARGIN, top, caption, limits)
    length = drawing.round_length(raw.shape[2] * spacing[2] / (5 if columns == 1 else 2))
    drawing.scale_bar(figure, size[0] - drawing.MARGIN, top + HEADING - 10, scale, length)
    extent = drawing.image_extent(raw.shape[1:], spacing[1:])
    for i, z in enumerate(planes):
        x = drawing.MARGIN + i % columns * cell[0]
        y = top + HEADING + i // columns * cell[1]
        drawing.add_text(figure, x, y, f"z = {z * spacing[0]:.4g} µm (plane {z})")
        axes = drawing.add_panel(figure, x, y + CAPTION, extent, scale)
        axes.set_label(f"plane {z}")
        drawing.show_image(axes, raw[z], limits)
        outlines.draw_outlines(
            axes, [line for _, line in lines[z]], [colors[label] for label, _ in lines[z]]
        )
        outlines.draw_numbers(axes, lines[z], numbers)
    return figure


def choose_planes(first: int, stop: int) -> list[int]:
    """Return the planes to show: the middles of up to twelve equal slabs of a range of planes.

    Parameters
    ----------
    first, stop : int
        First plane of the range, and the one after its last.

    Returns
    -------
    list of int
        Counted from 0.

    Examples
    --------
    >>> choose_planes(0, 30)
    [1, 3, 6, 8, 11, 13, 16, 18, 21, 23, 26, 28]
    """
    count = stop - first
    chosen = min(count, MAX_PLANES)
    return [first + (2 * i + 1) * count // (2 * chosen) for i in range(chosen)]


def _trace(
    segmentation: Labels, boxes: Boxes, spacing: Spacing, planes: list[int]
) -> dict[int, list[tuple[int, outlines.Line]]]:
    """Return the outlines in each plane with their labels, in the order of the labels."""
    lines: dict[int, list[tuple[int, outlines.Line]]] = {z: [] for z in planes}
    for label, (depth, rows, columns) in boxes.items():
        for z in planes:
            if depth.start <= z < depth.stop:
                mask = segmentation[z, rows, columns] == label
                found = outlines.trace_outlines(mask, (rows.start, columns.start), spacing[1:])
                lines[z] += [(label, line) for line in found]
    return lines


def _lay_out(
    shape: tuple[int, ...], spacing: Spacing, count: int, header: float
) -> tuple[float, int, tuple[float, float], tuple[float, float]]:
    """Return the layout with the largest panels.

    That is the scale in pixels per um, the number of columns, and the sizes of a cell of the grid
    and of the figure in pixels.
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
    size = (2 * drawing.MARGIN + max(MIN_WIDTH, across), header + HEADING + down + drawing.MARGIN)
    return scale, columns, cell, size
