"""Channels in colours, added up to one image."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cellstack.core.counting import significant
from cellstack.figures.drawing import PIXEL

Limits = tuple[float, float]

CYAN, MAGENTA, YELLOW, GREEN = "#00ffff", "#ff00ff", "#ffff00", "#00ff00"
COLORS_BY_COUNT = {1: ("#ffffff",), 2: (MAGENTA, GREEN), 3: (CYAN, MAGENTA, YELLOW)}
"""Colours that can be told apart, alone and added up, with any kind of colour vision."""

MORE_COLORS = (CYAN, MAGENTA, YELLOW, "#ff8000", "#3366ff", "#00b359", "#ffffff")
"""For four or more channels, which overlap in any colours: inspect them one by one as well."""


def channel_colors(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each channel, as #rrggbb.

    Parameters
    ----------
    names : list of str
        Channels in the order of the sheet.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> channel_colors(["nuclei", "membrane"])
    {'nuclei': '#ff00ff', 'membrane': '#00ff00'}
    """
    colors = COLORS_BY_COUNT.get(len(names), MORE_COLORS)
    return {name: colors[i % len(colors)] for i, name in enumerate(names)}


def blend(
    images: Mapping[str, np.ndarray], limits: Mapping[str, Limits], colors: Mapping[str, str]
) -> NDArray[np.uint8]:
    """Add up images in colours.

    Parameters
    ----------
    images : dict of str to (M, N) ndarray
        Intensities by channel.
    limits : dict of str to (float, float)
        Values shown in black and in the full colour, by channel.
    colors : dict of str to str
        By channel, see :func:`channel_colors`.

    Returns
    -------
    (M, N, 3) ndarray of uint8
        Red, green and blue.

    Examples
    --------
    >>> channels = {"a": np.array([[0, 10]]), "b": np.array([[4, 0]])}
    >>> limits = {"a": (0, 10), "b": (0, 4)}
    >>> blend(channels, limits, {"a": "#ff00ff", "b": "#00ff00"}).tolist()
    [[[0, 255, 0], [255, 0, 255]]]
    """
    shape = next(iter(images.values())).shape
    total = np.zeros((*shape, 3), np.float32)
    for name, image in images.items():
        low, high = limits[name]
        strength = np.clip((image.astype(np.float32) - low) / ((high - low) or 1), 0, 1)
        total += strength[..., None] * np.array(to_rgb(colors[name]), np.float32)
    return np.round(255 * np.minimum(total, 1)).astype(np.uint8)


def legend_handles(colors: Mapping[str, str]) -> dict[str, Line2D]:
    """Return a bar in the colour of each channel, see :func:`drawing.add_legend`."""
    return {
        name: Line2D([], [], color=color, linewidth=9 * PIXEL, solid_capstyle="butt")
        for name, color in colors.items()
    }


def describe(limits: Mapping[str, Limits]) -> str:
    """Return the values shown of each channel in words.

    Examples
    --------
    >>> describe({"nuclei": (3.0, 800.0), "dye": (7.0, 7.0)})
    'nuclei from 3 to 800, dye constant at 7'
    """
    return ", ".join(
        f"{name} from {significant(low, 4)} to {significant(high, 4)}"
        if low < high
        else f"{name} constant at {significant(low, 4)}"
        for name, (low, high) in limits.items()
    )
