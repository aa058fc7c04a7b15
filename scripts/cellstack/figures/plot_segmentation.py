"""Figure of a segmentation: maximum projections, and planes with most objects, in three views."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cellstack.config.marks import Mark
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Planes, Stack
from cellstack.core.types import Boxes, Spacing
from cellstack.figures import drawing, marking, outlines, views
from cellstack.figures.colors import COLORS, SKY_BLUE

NUCLEI_COLOR = SKY_BLUE

ObjectLines = list[tuple[int, outlines.Line]]


@drawing.default_style()
def plot_segmentation(
    raw: Stack,
    segmentation: Stack,
    labels: Planes,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    nuclei: Stack | None = None,
    numbers: outlines.Numbers = MappingProxyType({}),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw the outlines of all objects over the raw data.

    Objects that are measured have coloured outlines, the others thin white ones.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities. Each block of panels has the grey range of the 0.5 to 99.5 percentiles of its
        images.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found.
    labels : (Z, Y, X) ndarray or planes of uint16 or uint32
        The objects of `segmentation` that were selected for measurement; their numbers may differ.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    nuclei : (Z, Y, X) ndarray or stack, optional
        Intensities of a second channel, shown as a blue tint.
    numbers : dict of int to Number
        Number of each measured object by its label in `segmentation`, and whether it is flagged.
        It is written into the views along z.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        A block of maximum projections and one of the planes that cut most objects, without side
        views if the stack is very thin. A single plane is shown alone. In a projection, the
        outline of an object is that of its own projection, so outlines may cross. The axes are
        labelled ``projection xy``, ``plane xz`` ...

    Raises
    ------
    InputError
        The images differ in shape.
    """
    images = {"raw": raw, "segmentation": segmentation, "labels": labels}
    drawing.check_shapes(title, images if nuclei is None else images | {"nuclei": nuclei})
    boxes = find_boxes(segmentation)
    layout = views.lay_out(raw.shape, spacing, boxes, drawing.header_height(note))
    panels = [(block, view) for block in layout.blocks for view in layout.views]
    lines = _trace(segmentation, boxes, spacing, layout.planes, panels)
    is_measured = _find_measured(segmentation, labels, boxes)
    colors = outlines.label_colors(boxes)

    figure = drawing.new_figure(*layout.size)
    measured = sum(is_measured.values())
    summary = f", {measured} measured{outlines.count_flagged(numbers)}"
    drawing.add_header(figure, title, len(boxes), summary, raw.shape, spacing, note)
    if boxes:
        _add_legend(figure, measured, len(boxes) - measured)
    for block in layout.blocks:
        shown = layout.images(raw, block)
        tints = {} if nuclei is None else layout.images(nuclei, block)
        limits = drawing.display_range(*shown.values())
        more = ", nuclei in blue" if tints else ""
        left, top = layout.corners[block]
        drawing.add_caption(figure, left + views.LEFT, top, layout.captions[block], limits, more)
        layout.add_scale_bar(figure, block)
        for view, image in shown.items():
            axes = layout.add_view(figure, block, view)
            drawing.show_image(axes, image, limits)
            if tints:
                tint_limits = drawing.display_range(*tints.values())
                drawing.show_tint(axes, tints[view], tint_limits, NUCLEI_COLOR)
            objects = lines[block, view]
            outlines.draw_outlines(
                axes, [line for label, line in objects if not is_measured[label]]
            )
            outlines.draw_outlines(
                axes,
                [line for label, line in objects if is_measured[label]],
                [colors[label] for label, _ in objects if is_measured[label]],
            )
            if view == "xy":
                outlines.draw_numbers(axes, objects, numbers)
            plane = layout.plane_of(block, view)
            marking.draw_marks(axes, marks, spacing, view, plane)
    return figure


def _trace(
    segmentation: Stack,
    boxes: Boxes,
    spacing: Spacing,
    chosen: list[int],
    panels: list[tuple[str, str]],
) -> dict[tuple[str, str], ObjectLines]:
    """Return the outlines of each panel with their labels."""
    lines: dict[tuple[str, str], ObjectLines] = {panel: [] for panel in panels}
    for label, box in boxes.items():
        mask = segmentation[box] == label
        within = [index - side.start for index, side in zip(chosen, box, strict=True)]
        for block, view in panels:
            through, down, across = views.VIEWS[view]
            if block == "projection" or 0 <= within[through] < mask.shape[through]:
                seen = views.look_along(mask, view, within if block == "plane" else None)
                start = (box[down].start, box[across].start)
                found = outlines.trace_outlines(seen, start, (spacing[down], spacing[across]))
                lines[block, view] += [(label, line) for line in found]
    return lines


def _find_measured(segmentation: Planes, labels: Planes, boxes: Boxes) -> dict[int, bool]:
    """Return whether each object is measured."""
    is_measured = np.zeros(max(boxes, default=0) + 1, bool)
    for found, selected in zip(segmentation, labels, strict=True):
        is_measured[found[selected > 0]] = True
    return {label: bool(is_measured[label]) for label in boxes}


def _add_legend(figure: Figure, measured: int, others: int) -> None:
    pixel = drawing.PIXEL
    handles: dict[str, Line2D | tuple[Line2D, ...]] = {}
    if measured:
        handles[f"measured ({measured})"] = tuple(
            Line2D([], [], color=color, linewidth=2.5 * pixel) for color in COLORS
        )
    if others:
        handles[f"found, not measured ({others})"] = Line2D(
            [],
            [],
            color=outlines.NEUTRAL_COLOR,
            linewidth=outlines.NEUTRAL_LINE_WIDTH * pixel,
            linestyle=outlines.NEUTRAL_DASHES,
        )
    drawing.add_legend(figure, handles, handlelength=6)
