"""Figure of a segmentation over each channel, in the plane with most objects."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellstack.config.marks import Mark
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import composite, drawing, grid, marking, outlines, views

COMPOSITE = "all channels"  # no channel can have this name


@drawing.default_style()
def plot_channels(
    channels: Mapping[str, Stack],
    segmentation: Stack,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    numbers: outlines.Numbers = MappingProxyType({}),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw the outlines of all objects over each channel, and over all channels in colours.

    Parameters
    ----------
    channels : dict of str to (Z, Y, X) ndarray or stack
        Intensities by channel. Each panel has the grey range of
        the 0.5 to 99.5 percentiles of its image.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found. Each has the same colour in all panels and in the other figures.
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
        A panel per channel, labelled with its name, and ``all channels`` if there are
        several, on which the outlines are white. All show the plane that cuts most objects.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    drawing.check_shapes(title, {**channels, "segmentation": segmentation})
    boxes = find_boxes(segmentation)
    plane, *_ = views.busiest_planes(boxes, segmentation.shape)
    images = {name: np.asarray(stack[plane]) for name, stack in channels.items()}
    limits = {name: drawing.display_range(image) for name, image in images.items()}
    channel_colors = composite.channel_colors(list(channels))
    lines = [
        (label, line)
        for label, (depth, rows, columns) in boxes.items()
        if depth.start <= plane < depth.stop
        for line in outlines.trace_outlines(
            segmentation[plane, rows, columns] == label, (rows.start, columns.start), spacing[1:]
        )
    ]
    colors = outlines.label_colors(boxes)

    top = drawing.header_height(note)
    count = len(channels) + (len(channels) > 1)
    layout = grid.lay_out(segmentation.shape, spacing, count, top)
    figure = drawing.new_figure(*layout.size)
    summary = f" found, measured or not{outlines.count_flagged(numbers)}"
    drawing.add_header(figure, title, len(boxes), summary, segmentation.shape, spacing, note)
    what = "with most objects" if boxes else "in the middle"
    text = (
        f"Plane {what}: z = {plane * spacing[0]:.4g} µm "
        f"(plane {plane} of {len(segmentation)}, counted from 0)"
    )
    style = {"weight": "bold", "fontsize": drawing.HEADING_SIZE}
    drawing.add_text(figure, drawing.MARGIN, top, text, **style)
    layout.add_scale_bar(figure)
    panels: dict[str, Axes] = {}
    for name, image in images.items():
        caption = composite.describe({name: limits[name]})
        panels[name] = layout.add_panel(figure, len(panels), caption)
        drawing.show_image(panels[name], image, limits[name])
    if len(channels) > 1:
        panels[COMPOSITE] = layout.add_panel(figure, len(panels), "all channels in colours")
        image = composite.blend(images, limits, channel_colors)
        drawing.show_image(panels[COMPOSITE], image, (0, 1))
        drawing.add_legend(figure, composite.legend_handles(channel_colors))
    for name, axes in panels.items():
        axes.set_label(name)
        # colours of objects are hard to tell from those of the channels
        shown = [outlines.NEUTRAL_COLOR if name == COMPOSITE else colors[at] for at, _ in lines]
        outlines.draw_outlines(axes, [line for _, line in lines], shown)
        outlines.draw_numbers(axes, lines, numbers)
        marking.draw_marks(axes, marks, spacing, plane=plane)
    return figure
