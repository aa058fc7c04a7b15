"""Acquisition metadata of a file, in the form in which they are recorded."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cellstack.files.readers.image_source import MAX_NAME_LENGTH, one_line

MAX_DIGITS = 6  # of numbers; files contain values such as 1.4000000000000001


def describe(
    values: Mapping[str, object], channels: Sequence[Mapping[str, object]] = ()
) -> dict[str, Any]:
    """Return the acquisition metadata of a file, as short texts and numbers.

    Parameters
    ----------
    values : dict of str to object
        Numbers, or texts. None, empty texts and numbers that are not finite are left out.
    channels : sequence of dict of str to object
        The same for each channel.

    Returns
    -------
    dict of str to object
        Texts and numbers by name, and under ``"channels"`` a list of such dictionaries if there is
        anything to say about a channel.

    Examples
    --------
    >>> describe({"objective": "63x Oil", "magnification": "63.0000001", "date": None})
    {'objective': '63x Oil', 'magnification': 63.0}
    """
    found = _describe(values)
    described = [_describe(channel) for channel in channels]
    return found | ({"channels": described} if any(described) else {})


def _describe(values: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        text = "" if value is None else one_line(str(value).strip(), MAX_NAME_LENGTH)
        try:
            number = float(text)
        except ValueError:
            if text:
                found[key] = text
            continue
        if math.isfinite(number):
            found[key] = float(f"{number:.{MAX_DIGITS}g}")
    return found
