"""Show a whole segmentation on its stack: max projections and middle planes, seen along z, y and x at true scale."""

from typing import NamedTuple

from cellstack import figures
from cellstack.errors import InputError

VIEWS = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 1, 0)}  # the axis one looks along, the one that runs down, the one that runs across
FLATTEST = 1 / 250  # depth by width of a stack, below which a view from the side is a line
WIDTH, HEIGHT = 1720, 1200  # pixels that the blocks may take at most
NARROWEST, NARROWEST_BLOCK = 1000, 420  # pixels that the header and a caption with its scale bar need
CAPTION, GAP, BESIDE, BELOW = 34, 14, 30, 34  # pixels above a block, between its views, left of them, below them
TINT = figures.COLORS[1]  # a blue
AXIS_LABEL = 90  # pixels of "z = 123.4 µm"


@figures.default_style()
def plot_segmentation(raw, split, labels, spacing, *, title, note="", nuclei=None):
    """Draw all objects found over the raw data, in colour those that are measured.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        The channel. Each block shows it between the 0.5 and 99.5 percentiles of what the block shows.
    split : (Z, Y, X) ndarray of uint16 or uint32
        All objects found, 1..n.
    labels : (Z, Y, X) ndarray of uint16 or uint32
        The objects of `split` that were selected for measurement, under whichever numbers.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        The stack.
    note : str
        A warning to print, or nothing.
    nuclei : (Z, Y, X) ndarray, optional
        A second channel, which tints the first.

    Returns
    -------
    matplotlib.figure.Figure
        Max projections and middle planes, or the plane alone where there is just one; no views from the side where they would be mere
        lines. Outlines in a max projection are those of each object's own projection, and may cross. Panels are labelled
        ``projection xy``, ``plane xz`` ...

    Raises
    ------
    InputError
        Where the images differ in shape.
    """
    if not raw.shape == split.shape == labels.shape == (raw if nuclei is None else nuclei).shape:
        raise InputError(f"{title}: raw, split and labels differ in shape ({raw.shape}, {split.shape}, {labels.shape}): make them anew")
    is_plane = len(raw) == 1
    depth, _, width = (size * step for size, step in zip(raw.shape, spacing, strict=True))
    views = ("xy",) if is_plane or depth < width * FLATTEST else tuple(VIEWS)
    blocks = ("plane",) if is_plane else ("projection", "plane")
    middle = [size // 2 for size in raw.shape]
    boxes = figures.find_boxes(split)
    lines, is_measured = _trace(split, labels, boxes, spacing, middle, [(block, view) for block in blocks for view in views])
    colors = figures.label_colors(boxes)
    layout = _lay_out(raw.shape, spacing, len(views) > 1, len(blocks), figures.header_height(note))

    figure = figures.new_figure(*layout.size)
    count = {True: sum(is_measured), False: len(boxes) - sum(is_measured)}
    figures.add_header(figure, title, len(boxes), f", {count[True]} measured", raw.shape, spacing, note)
    if boxes:
        texts = {f"measured ({count[True]})": True, f"found, not measured ({count[False]})": False}
        figures.add_legend(figure, {text: each for text, each in texts.items() if count[each]})
    for block, (left, top) in zip(blocks, layout.corners, strict=True):
        index = middle if block == "plane" else None
        images = {view: _look(raw, view, index) for view in views}
        limits = figures.display_range(*images.values())
        caption = "Max projections" if index is None else "Middle planes" if len(views) > 1 else f"Plane {middle[0] + 1} of {len(raw)}"
        tints = {} if nuclei is None else {view: _look(nuclei, view, index) for view in views}
        figures.add_caption(figure, left + BESIDE, top, caption, limits, ", nuclei in blue" if tints else "")
        figures.scale_bar(figure, left + layout.bar_right, top + CAPTION - 10, layout.scale, figures.round_length(width / 5))
        for view, image in images.items():
            place = (left + layout.offsets[view][0], top + layout.offsets[view][1])
            axes = _add_view(figure, place, view, raw.shape, spacing, layout.scale, index, has_sides=len(views) > 1)
            axes.set_label(f"{block} {view}")
            figures.show_image(axes, image, limits)
            if tints:
                figures.show_tint(axes, tints[view], figures.display_range(*tints.values()), TINT)
            objects = lines[block, view]
            figures.draw_outlines(axes, [line for i, line in objects if not is_measured[i]])
            figures.draw_outlines(axes, [line for i, line in objects if is_measured[i]], [colors[i] for i, _ in objects if is_measured[i]])
    return figure


def _look(stack, view, index):
    """Return what is seen along one axis: the maximum, or the plane at `index` of the three axes."""
    through, down, across = VIEWS[view]
    image = stack.max(axis=through) if index is None else stack.take(index[through], axis=through)
    return image if down < across else image.T


def _trace(split, labels, boxes, spacing, middle, wanted):
    """Return for each block and view (object, line) in the order of the objects, and for each object whether it is measured."""
    lines = {each: [] for each in wanted}
    is_measured = []
    for i, box in enumerate(boxes):
        mask = split[box] == i + 1
        is_measured.append(bool(labels[box][mask].any()))
        within = [index - side.start for index, side in zip(middle, box, strict=True)]
        for block, view in wanted:
            through, down, across = VIEWS[view]
            if block == "projection" or 0 <= within[through] < mask.shape[through]:
                seen = _look(mask, view, within if block == "plane" else None)
                found = figures.outlines(seen, (box[down].start, box[across].start), (spacing[down], spacing[across]))
                lines[block, view] += [(i, line) for line in found]
    return lines, is_measured


def _add_view(figure, place, view, shape, spacing, scale, index, *, has_sides):
    """Add the panel of a view, the names of its axes, and marks where the planes at `index` cut it."""
    _, down, across = VIEWS[view]
    extent = (*figures.edges(shape[across], spacing[across]), *figures.edges(shape[down], spacing[down])[::-1])
    axes = figures.add_panel(figure, *place, extent, scale)
    at = {axis: (shape[axis] // 2) * spacing[axis] for axis in (down, across)}
    is_marked = index is not None and has_sides
    text = {axis: f"{'zyx'[axis]} = {at[axis]:.4g} µm" if is_marked else "zyx"[axis] for axis in at}
    if is_marked:
        axes.set(xticks=[at[across]], yticks=[at[down]])
        axes.tick_params(length=5 * figures.PT, width=1.5 * figures.PT, labelbottom=False, labelleft=False, top=True, right=True)
    if view != "yz":
        y = place[1] + (at[down] - extent[3]) * scale
        figures.add_text(figure, place[0] - 8, y, text[down], rotation=90, ha="right", va="center")
    if view != "xy" or not has_sides:
        # a label wider than its view begins where the view does, or it would run into the view at the left
        x = place[0] + max((at[across] - extent[0]) * scale, AXIS_LABEL / 2 if is_marked else 0)
        figures.add_text(figure, x, place[1] + (extent[2] - extent[3]) * scale + 8, text[across], ha="center")
    return axes


class _Layout(NamedTuple):
    """Where things are, in pixels from the top left."""

    size: tuple  # of the figure
    scale: float  # pixels per um
    corners: list  # of the blocks
    offsets: dict  # of the views from their block's corner
    bar_right: float  # of the scale bar from its block's corner


def _lay_out(shape, spacing, has_sides, count, header):
    """Set the blocks side by side or one below the other, whichever shows them larger."""
    depth, height, width = (size * step for size, step in zip(shape, spacing, strict=True))
    across, down = (width + depth, height + depth) if has_sides else (width, height)
    gap = GAP if has_sides else 0

    def scale_of(columns):
        room = WIDTH / columns - BESIDE - gap
        return min(room / across, (room - AXIS_LABEL) / width, (HEIGHT * columns / count - CAPTION - gap - BELOW) / down)

    columns = max((count, 1), key=scale_of)
    scale = scale_of(columns)
    content = BESIDE + gap + max(across * scale, width * scale + (AXIS_LABEL if has_sides else 0), NARROWEST_BLOCK)
    block = (content + figures.MARGIN, CAPTION + gap + down * scale + BELOW)
    corners = [(figures.MARGIN + i % columns * block[0], header + i // columns * block[1]) for i in range(count)]
    size = (max(NARROWEST, figures.MARGIN + columns * block[0]), header + count // columns * block[1])
    beside, below = BESIDE + width * scale + GAP, CAPTION + height * scale + GAP
    offsets = {"xy": (BESIDE, CAPTION), "xz": (BESIDE, below), "yz": (beside, CAPTION)}
    return _Layout(size, scale, corners, offsets, BESIDE + gap + max(across * scale, NARROWEST_BLOCK))
