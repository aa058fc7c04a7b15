"""What a figure shows: its panels, texts and outlines, read from the drawn artists."""

import base64
import io

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from PIL import Image

from cellstack.figures import drawing


def boxes_image(shape, *boxes, labels=None):
    """Return a label image of boxes, each given as (start, stop) along z, y, x.

    Labels are 1..n unless given.
    """
    image = np.zeros(shape, np.uint16)
    for label, box in zip(labels or range(1, len(boxes) + 1), boxes, strict=True):
        image[tuple(slice(*side) for side in box)] = label
    return image


def panels(figure):
    """Return the axes of a figure by label."""
    return {axes.get_label(): axes for axes in figure.axes}


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


def scale_bars(figure):
    """Return length in pixels and length in um, as written, of each scale bar."""
    width, _ = drawing.figure_size(figure)
    lengths = [
        np.ptp(line.get_xdata()) * width
        for line in figure.findobj(Line2D)
        if line.get_linewidth() == 4 * drawing.PIXEL
    ]
    written = [
        float(text.split()[0])
        for text in texts_of(figure)
        if text.endswith(" µm") and text.split()[0].replace(".", "").isdecimal() and "×" not in text
    ]
    return list(zip(lengths, written, strict=True))


def pixels_per_um(axes):
    """Return the scale of a panel along x and along y."""
    return (
        axes.bbox.width / abs(np.subtract(*axes.get_xlim())),
        axes.bbox.height / abs(np.subtract(*axes.get_ylim())),
    )


def outlines_of(axes):
    """Return the colour and the vertices of each outline on a panel, without the dark rims."""
    outlines = []
    for collection in axes.collections:
        if isinstance(collection, LineCollection) and collection.get_alpha() is None:
            paths, colors = collection.get_paths(), collection.get_colors()
            colors = np.broadcast_to(colors, (len(paths), 4))
            outlines += [(to_hex(c), path.vertices) for path, c in zip(paths, colors, strict=True)]
    return outlines


def edges_of(line, spacing):
    """Return first and last + 1 row and column of an outline in pixels, rounded."""
    edges = []
    for positions, step in zip(line.T[::-1], spacing, strict=True):
        edges.append((round(positions.min() / step + 0.5), round(positions.max() / step + 0.5)))
    return tuple(edges)


def pixels_of(panel):
    """Return the picture of a panel of the gallery as an (M, N, 3) array."""
    file = io.BytesIO(base64.b64decode(panel["png"]))
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


def rgb(color):
    """Return the values 0 to 255 of a colour given as #rrggbb."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])


def extent_of(color, pixels):
    """Return first and last + 1 row and column of the pixels of a colour, or None."""
    is_color = np.abs(pixels - rgb(color)).sum(axis=2) < 30
    if not is_color.any():
        return None
    rows, columns = np.nonzero(is_color)
    return (rows.min(), rows.max() + 1), (columns.min(), columns.max() + 1)


def assert_outlined(pixels, box, color, scale, start=(0, 0)):
    """Assert that all pixels of a colour form the outline of a box, given by rows and columns.

    `scale` is the size of a voxel in pixels along rows and columns, `start` the position of the
    image in the picture.
    """
    expected = [
        [first + edge * step for edge in side]
        for side, step, first in zip(box, scale, start, strict=True)
    ]
    found = extent_of(color, pixels)
    assert found is not None, f"nothing is drawn in {color}"
    np.testing.assert_allclose(found, expected, atol=2)
