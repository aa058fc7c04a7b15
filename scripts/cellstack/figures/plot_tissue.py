"""Figure of tissue and regions: their outlines over the middle planes, at true scale."""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType

import fastremap
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cellstack.config.marks import Mark
from cellstack.core.components import find_components
from cellstack.core.counting import counted
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures import drawing, marking, outlines, views
from cellstack.figures.colors import COLORS

MAX_NAMES = 7  # regions in the legend, one for each colour
UM3_PER_MM3 = 1e9


@drawing.default_style()
def plot_tissue(
    raw: Stack,
    tissue: Stack | None,
    regions: Stack | None,
    spacing: Spacing,
    *,
    title: str,
    note: str = "",
    names: Mapping[str, str] = MappingProxyType({}),
    marks: Sequence[Mark] = (),
) -> Figure:
    """Draw the outlines of tissue and regions over the middle planes of a stack.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
        Intensities. All panels have the same grey range, the 0.5 to 99.5 percentiles.
    tissue : (Z, Y, X) ndarray or stack of uint8, or None
        1 in the tissue, 0 elsewhere. Its outline is white.
    regions : (Z, Y, X) ndarray or stack of uint16 or uint32, or None
        Labels of the regions. Each has the same colour in all views; more than seven share some.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    title : str
        Name of the stack.
    note : str
        A warning shown in the header; may be empty.
    names : dict of str to str
        Names of regions by label.
    marks : list of Mark
        Marks of the user.

    Returns
    -------
    matplotlib.figure.Figure
        The axes are labelled ``plane xy``, ``plane xz`` and ``plane yz``; a very thin stack has
        the first one only.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    given = {"raw": raw, "tissue": tissue, "regions": regions}
    drawing.check_shapes(title, {name: each for name, each in given.items() if each is not None})
    header = drawing.header_height(note)
    layout = views.lay_out(raw.shape, spacing, {}, header, projections=False)
    labels = [] if regions is None else sorted({*chain.from_iterable(map(_labels, regions))} - {0})
    colors = {label: COLORS[i % len(COLORS)] for i, label in enumerate(labels)}

    figure = drawing.new_figure(*layout.size)
    summary, count, noun = _summarize(tissue, labels, regions is not None, spacing)
    drawing.add_header(figure, title, count, summary, raw.shape, spacing, note, noun)
    _add_legend(figure, tissue is not None, {each: colors[each] for each in labels}, names)
    shown = layout.images(raw, "plane")
    limits = drawing.display_range(*shown.values())
    left, top = layout.corners["plane"]
    drawing.add_caption(figure, left + views.LEFT, top, layout.captions["plane"], limits)
    layout.add_scale_bar(figure, "plane")
    sections = {} if regions is None else layout.images(regions, "plane")
    masks = {} if tissue is None else layout.images(tissue, "plane")
    for view, image in shown.items():
        axes = layout.add_view(figure, "plane", view)
        drawing.show_image(axes, image, limits)
        _, down, across = views.VIEWS[view]
        steps = (spacing[down], spacing[across])
        if masks:
            lines = outlines.trace_outlines(masks[view] > 0, (0, 0), steps)
            outlines.draw_outlines(axes, lines, [outlines.NEUTRAL_COLOR] * len(lines))
        if sections:
            for label in filter(None, _labels(sections[view])):
                lines = outlines.trace_outlines(sections[view] == label, (0, 0), steps)
                outlines.draw_outlines(axes, lines, [colors[label]] * len(lines))
        marking.draw_marks(axes, marks, spacing, view, layout.plane_of("plane", view))
    return figure


def _labels(labels: NDArray[np.unsignedinteger]) -> list[int]:
    found: list[int] = fastremap.unique(np.ascontiguousarray(labels)).tolist()
    return found


def _summarize(
    tissue: Stack | None, labels: list[int], has_regions: bool, spacing: Spacing
) -> tuple[str, int, str]:
    """Return the end of the line about what is shown, the number of things, and their name."""
    if tissue is None:
        return "", len(labels), "regions"
    count = sum(np.count_nonzero(plane) for plane in tissue)
    volume_um3 = count * float(np.prod(spacing))
    part = f"{volume_um3 / UM3_PER_MM3:.3g} mm³, {count / tissue.size:.0%} of the stack"
    if has_regions:
        return f"; tissue of {part}", len(labels), "regions"
    return f" of tissue: {part}", len(find_components(tissue).sizes) - 1, "pieces"


def _add_legend(
    figure: Figure, has_tissue: bool, colors: Mapping[int, str], names: Mapping[str, str]
) -> None:
    handles: dict[str, Line2D | tuple[Line2D, ...]] = {}
    width = 2.5 * drawing.PIXEL
    if has_tissue:
        handles["tissue"] = Line2D([], [], color=outlines.NEUTRAL_COLOR, linewidth=width)
    for label, color in list(colors.items())[:MAX_NAMES]:
        name = drawing.shorten(figure, names.get(str(label), f"region {label}"), 200)
        handles[name] = Line2D([], [], color=color, linewidth=width)
    if len(colors) > MAX_NAMES:
        more = f"and {counted(len(colors) - MAX_NAMES, 'regions')} more"
        handles[more] = Line2D([], [], linewidth=0)
    if handles:
        drawing.add_legend(figure, handles, ncols=2 if len(handles) > 3 else 1)
