"""Show a segmentation plane by plane at true scale."""

from cellstack import figures
from cellstack.errors import InputError

MOST_PLANES = 12
WIDTH, HEIGHT = 1740, 1200  # pixels that the panels may take at most
NARROWEST, NARROWEST_PANEL = 1000, 190  # pixels that the header and the caption of a panel need
HEADING, CAPTION, GAP = 38, 24, 14  # pixels above all panels, above each panel, between panels


@figures.default_style()
def plot_planes(raw, split, spacing, *, title, note=""):
    """Draw all objects found over up to twelve evenly spaced planes.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        The channel. All planes are shown at one range of grey, between the 0.5 and 99.5 percentiles of these planes.
    split : (Z, Y, X) ndarray of uint16 or uint32
        All objects found, 1..n. Each has the same colour in all planes.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        The stack.
    note : str
        A warning to print, or nothing.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per plane, labelled ``plane 1`` ... by its number in the stack, which counts from 1 as Fiji does.

    Raises
    ------
    InputError
        Where the two images differ in shape.
    """
    if raw.shape != split.shape:
        raise InputError(f"{title}: raw and split differ in shape ({raw.shape}, {split.shape}): make them anew")
    planes = choose_planes(len(raw))
    scale, columns, cell, size = _lay_out(raw.shape, spacing, len(planes), figures.header_height(note))
    boxes = figures.find_boxes(split)
    colors = figures.label_colors(boxes)
    lines = _trace(split, boxes, spacing, planes)
    limits = figures.display_range(*(raw[z] for z in planes))

    figure = figures.new_figure(*size)
    figures.add_header(figure, title, len(boxes), " found, measured or not", raw.shape, spacing, note)
    top = figures.header_height(note)
    caption = "All planes" if len(planes) == len(raw) else f"{len(planes)} of {len(raw)} planes"
    figures.add_caption(figure, figures.MARGIN, top, caption, limits)
    length = figures.round_length(raw.shape[2] * spacing[2] / (5 if columns == 1 else 2))
    figures.scale_bar(figure, size[0] - figures.MARGIN, top + HEADING - 10, scale, length)
    extent = (*figures.edges(raw.shape[2], spacing[2]), *figures.edges(raw.shape[1], spacing[1])[::-1])
    for i, z in enumerate(planes):
        x, y = figures.MARGIN + i % columns * cell[0], top + HEADING + i // columns * cell[1]
        figures.add_text(figure, x, y, f"z = {z * spacing[0]:.4g} µm (plane {z + 1})")
        axes = figures.add_panel(figure, x, y + CAPTION, extent, scale)
        axes.set_label(f"plane {z + 1}")
        figures.show_image(axes, raw[z], limits)
        figures.draw_outlines(axes, [line for _, line in lines[z]], [colors[i] for i, _ in lines[z]])
    return figure


def choose_planes(count):
    """Return the middle planes of up to twelve equal slabs of a stack of `count` planes."""
    chosen = min(count, MOST_PLANES)
    return [(2 * i + 1) * count // (2 * chosen) for i in range(chosen)]


def _trace(split, boxes, spacing, planes):
    """Return for each plane (object, line) in the order of the objects."""
    lines = {z: [] for z in planes}
    for i, (depth, rows, columns) in enumerate(boxes):
        for z in planes:
            if depth.start <= z < depth.stop:
                found = figures.outlines(split[z, rows, columns] == i + 1, (rows.start, columns.start), spacing[1:])
                lines[z] += [(i, line) for line in found]
    return lines


def _lay_out(shape, spacing, count, header):
    """Return the scale in pixels per um, the number of columns, the size of a cell and that of the figure, such that panels are largest."""
    _, height, width = (size * step for size, step in zip(shape, spacing, strict=True))

    def scale_of(columns):
        rows = -(-count // columns)
        return min(((WIDTH + GAP) / columns - GAP) / width, (HEIGHT / rows - CAPTION - GAP) / height)

    columns = max(range(1, count + 1), key=scale_of)
    scale = scale_of(columns)
    cell = (max(width * scale, NARROWEST_PANEL) + GAP, CAPTION + height * scale + GAP)
    across = columns * cell[0] - GAP
    down = -(-count // columns) * cell[1] - GAP
    size = (2 * figures.MARGIN + max(NARROWEST, across), header + HEADING + down + figures.MARGIN)
    return scale, columns, cell, size
