"""Figure of all channels of a stack in colours: projections and planes in three views."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from cellstack.config.marks import Mark
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import composite, drawing, marking, views
from cellstack.figures.colors import SECONDARY

MAX_NAME = 220  # maximum width of a name in the legend, in pixels


@drawing.default_style()
def plot_composite(
    channels: Mapping[str, Stack],
    segmentation: Stack,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw all channels of a stack in one image, each in its own colour.

    Parameters
    ----------
    channels : dict of str to (Z, Y, X) ndarray or stack
        Intensities by channel. Each block of panels shows the 0.5
        to 99.5 percentiles of each channel in its images.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        Objects; the planes that cut most of them are shown.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        The views and the scale of :func:`cellstack.figures.plot_segmentation.plot_segmentation`.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    drawing.check_shapes(title, {**channels, "segmentation": segmentation})
    shape = segmentation.shape
    layout = views.lay_out(shape, spacing, find_boxes(segmentation), drawing.header_height(note))
    colors = composite.channel_colors(list(channels))
    figure = drawing.new_figure(*layout.size)
    drawing.add_header(figure, title, len(channels), "", shape, spacing, note, "channels")
    names = {drawing.shorten(figure, name, MAX_NAME): color for name, color in colors.items()}
    drawing.add_legend(figure, composite.legend_handles(names))
    for block in layout.blocks:
        shown = {name: layout.images(stack, block) for name, stack in channels.items()}
        limits = {name: drawing.display_range(*images.values()) for name, images in shown.items()}
        left, top = layout.corners[block]
        style = {"weight": "bold", "fontsize": drawing.HEADING_SIZE}
        name = drawing.add_text(figure, left + views.LEFT, top, layout.captions[block], **style)
        start = name.get_window_extent().x1 + 12
        room = left + layout.bar_left - start
        text = drawing.shorten(figure, composite.describe(limits), room)
        drawing.add_text(figure, start, top + 1, text, color=SECONDARY)
        layout.add_scale_bar(figure, block)
        for view in layout.views:
            axes = layout.add_view(figure, block, view)
            images = {name: shown[name][view] for name in channels}
            drawing.show_image(axes, composite.blend(images, limits, colors), (0, 1))
            plane = layout.plane_of(block, view)
            marking.draw_marks(axes, marks, spacing, view, plane)
    return figure
