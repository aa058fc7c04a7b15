"""Colour images: a colour as a channel, or the luminance of all."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import counted
from cellstack.errors import InputError
from cellstack.files.readers import image_source
from cellstack.files.readers.image_source import ImageSource

COLOURS = ("red", "green", "blue")
MAX_DIFFERENCE_OF_GREY = 0.05  # of red, green and blue, relative to the highest value of a plane
LUMINANCE_WEIGHTS = (2126, 7152, 722)  # times 10,000; sums of integers are exact on any processor


def pick_colour(name: str, source: ImageSource, channel_index: str | None) -> int | None:
    """Return which sample of a colour image is a channel: 0 for red, 1 for green, 2 for blue.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    source : ImageSource
    channel_index : str or None
        What the sheet gives.

    Returns
    -------
    int or None
        None if the sheet gives no colour, or the image has channels or no colours.

    Raises
    ------
    InputError
        The sheet gives another channel of an image that has only colours.
    """
    has_colours = image_source.REDUCED in source.notices and source.channels == [None]
    if not has_colours or not channel_index:
        return None
    if channel_index.lower() in COLOURS:
        return COLOURS.index(channel_index.lower())
    raise InputError(
        f"{name}: channel_index is {channel_index}, but its channels are colours: give "
        f"{', '.join(COLOURS[:-1])} or {COLOURS[-1]}, or leave channel_index empty for the "
        "luminance"
    )


def find_coloured(planes: Iterable[NDArray[Any]], found: list[int]) -> Iterator[NDArray[Any]]:
    """Yield planes unchanged, and append the numbers of those that are not grey to a list.

    Parameters
    ----------
    planes : iterable of (Y, X, S) ndarray
        Samples S are red, green and blue; others, such as opacity, are ignored.
    found : list of int
        It is extended while the planes are read. A plane is grey if red, green and blue differ by
        at most 5 % of its highest value, as they can after compression.

    Examples
    --------
    >>> planes, found = np.zeros((2, 4, 4, 3), np.uint8), []
    >>> planes[1, 0, 0] = (0, 0, 255)
    >>> len(list(find_coloured(planes, found))), found
    (2, [1])
    """
    for number, plane in enumerate(planes):
        colours = plane[..., : len(COLOURS)]
        high, low = colours.max(axis=-1), colours.min(axis=-1)
        if (high - low).max() > MAX_DIFFERENCE_OF_GREY * float(high.max()):
            found.append(number)
        yield plane


def flag_colours(planes: Sequence[int]) -> list[str]:
    """Return a flag if planes that are not grey were reduced to their luminance.

    Parameters
    ----------
    planes : sequence of int
        Their numbers.

    Returns
    -------
    list of str

    Examples
    --------
    >>> flag_colours([])
    []
    """
    if not planes:
        return []
    return [
        f"colours in {counted(len(planes), 'planes')} were mixed to their luminance, in which blue "
        "counts 7 % (if they are channels, give red, green or blue as channel_index, and if they "
        "are planes, fill in axes)"
    ]


def luminance(plane: NDArray[Any]) -> NDArray[Any]:
    """Convert colours to luminance according to ITU-R BT.709.

    Parameters
    ----------
    plane : (Y, X, S) ndarray
        Red, green and blue. Further samples are ignored.

    Returns
    -------
    (Y, X) ndarray
        In the type of `plane`, integers rounded.

    Notes
    -----
    As `skimage.color.rgb2gray`, but in the range of the type.

    Examples
    --------
    >>> luminance(np.array([[[255, 255, 255], [255, 0, 0]]], np.uint8))
    array([[255,  54]], dtype=uint8)
    """
    red, green, blue = (
        plane[..., sample] * np.float64(weight) for sample, weight in enumerate(LUMINANCE_WEIGHTS)
    )
    grey = (red + green + blue) / sum(LUMINANCE_WEIGHTS)
    rounded: NDArray[Any] = grey if plane.dtype.kind == "f" else np.rint(grey)
    return rounded.astype(plane.dtype)
