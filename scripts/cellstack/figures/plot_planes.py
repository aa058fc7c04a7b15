"""Figure of a segmentation plane by plane at true scale."""

from collections.abc import Sequence
from types import MappingProxyType

from matplotlib.figure import Figure

from cellstack.config.marks import Mark
from cellstack.core.counting import counted
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import Boxes, Spacing
from cellstack.figures import drawing, grid, marking, outlines

MAX_PLANES = 12


@drawing.default_style()
def plot_planes(
    raw: Stack,
    segmentation: Stack,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    numbers: outlines.Numbers = MappingProxyType({}),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw the outlines of all objects over up to twelve evenly spaced planes that have objects.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities. All panels have the same grey range, the 0.5 to 99.5 percentiles of the
        planes shown.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found. Each has the same colour in all planes.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    numbers : dict of int to Number
        Number of each measured object by its label in `segmentation`, and whether it is flagged.
    marks : list of Mark
        Marks of the user.

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
    layout = grid.lay_out(raw.shape, spacing, len(planes), top)
    colors = outlines.label_colors(boxes)
    lines = _trace(segmentation, boxes, spacing, planes)
    limits = drawing.display_range(*(raw[z] for z in planes))

    figure = drawing.new_figure(*layout.size)
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
    layout.add_scale_bar(figure)
    for i, z in enumerate(planes):
        axes = layout.add_panel(figure, i, f"z = {z * spacing[0]:.4g} µm (plane {z})")
        axes.set_label(f"plane {z}")
        drawing.show_image(axes, raw[z], limits)
        outlines.draw_outlines(
            axes, [line for _, line in lines[z]], [colors[label] for label, _ in lines[z]]
        )
        outlines.draw_numbers(axes, lines[z], numbers)
        marking.draw_marks(axes, marks, spacing, plane=z)
    return figure


def choose_planes(first: int, stop: int, most: int = MAX_PLANES) -> list[int]:
    """Return the planes to show: the middles of equal slabs of a range of planes.

    Parameters
    ----------
    first, stop : int
        First plane of the range, and the one after its last.
    most : int
        Maximum number of planes.

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
    chosen = min(count, most)
    return [first + (2 * i + 1) * count // (2 * chosen) for i in range(chosen)]


def _trace(
    segmentation: Stack, boxes: Boxes, spacing: Spacing, planes: list[int]
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
