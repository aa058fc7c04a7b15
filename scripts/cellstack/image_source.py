"""What every reader of outside images tells of a file, and what they share: the meaning of axes, and faults in one line."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cellstack.errors import InputError
from cellstack.spacing import Found


@dataclass
class ImageSource:
    """An image from outside that is open but not read."""

    files: list[Path]
    format: str
    axes: str  # as the file names them
    shape: tuple[int, ...]
    dtype: np.dtype
    count: int  # planes of one channel
    plane_shape: tuple[int, int]
    channels: list[str | None]  # one entry per channel: its name, where the file gives names
    planes: Callable[[int], Iterator[np.ndarray]]  # the planes of a channel: (Y, X), or (Y, X, S) with red, green, blue first
    spacing: dict[str, Found] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


@contextmanager
def reading(name):
    """Turn whatever a reader of untrusted bytes meets into one line; tifffile logs many faults where it should raise.

    Parameters
    ----------
    name : str
        What the line calls the file.

    Raises
    ------
    InputError
        With the reader's own words.
    """
    faults = []

    def keep(entry):
        if entry.levelno >= logging.ERROR:
            faults.append(entry.getMessage())
        return entry.levelno < logging.ERROR

    logger = logging.getLogger("tifffile")
    logger.addFilter(keep)
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(
            f"{name}: cannot be read as an image ({_line(error)}): give a TIFF, planes as TIFF or PNG, or an OME-Zarr"
        ) from error
    finally:
        logger.removeFilter(keep)
    if faults:
        raise InputError(f"{name}: is damaged or incomplete ({_line(faults[0])}): copy or export it again")


def _line(fault):
    return " ".join(f"{fault}".split())[:200] or type(fault).__name__


def axis_roles(name, axes, shape, colour):
    """Say what each axis of an image is for.

    Parameters
    ----------
    name : str
        What messages call the file.
    axes : sequence of str
        As the file names them: Z, C, Y, X, S (samples), T; Q and I for what has no name.
    shape : sequence of int
        Their lengths.
    colour : bool
        Samples are red, green and blue; else they are channels.

    Returns
    -------
    list of str
        Per axis Z, C, Y, X, S, or 1 for any other axis that holds one entry only.

    Raises
    ------
    InputError
        Where it is not one stack in some channels: with the axis and the cure.
    """
    roles = [axis if axis in ("Y", "X") or length > 1 else "1" for axis, length in zip(axes, shape, strict=True)]
    if not colour:
        roles = ["C" if role == "S" else role for role in roles]
    unnamed = [position for position, role in enumerate(roles) if role in ("Q", "I")]
    if len(unnamed) == 1 and "Z" not in roles:
        roles[unnamed[0]] = "Z"
    present = [(axis, length) for axis, role, length in zip(axes, roles, shape, strict=True) if role != "1"]
    found = f"axes {''.join(axis for axis, _ in present)}, shape {tuple(length for _, length in present)}"
    if 0 in shape:
        raise InputError(f"{name}: is empty ({found}): export it again")
    for axis, role, length in zip(axes, roles, shape, strict=True):
        if role not in "ZCYXS1":
            cure = "save the one stack wanted as a file of its own, or set the axes right, in Fiji by Image > Properties"
            raise InputError(f"{name}: has {length} entries along the axis {axis} ({found}), where one stack is wanted: {cure}")
    named = [role for role in roles if role != "1"]
    if len(set(named)) < len(named) or not {"Y", "X"} <= set(named):
        raise InputError(f"{name}: its axes are not those of a stack ({found}): save it with axes named, as OME-TIFF or ImageJ TIFF")
    return roles


def cut(array, roles, where, order):
    """Take a part out of an array and put its axes in order.

    Parameters
    ----------
    array : ndarray
        Or anything that is indexed like one.
    roles : sequence of str
        What its axes are for, see :func:`axis_roles`.
    where : dict
        The index for axes that are to go.
    order : str
        The axes that are to stay, those that `array` has of them.

    Returns
    -------
    ndarray
        With its axes in `order`.
    """
    part = np.asarray(array[tuple(slice(None) if role in order and role not in where else where.get(role, 0) for role in roles)])
    kept = [role for role in roles if role in order]
    return part.transpose([kept.index(axis) for axis in order if axis in kept])


def length_of(roles, shape, role):
    """Return the length of the axis with a role, 1 where there is none."""
    return shape[roles.index(role)] if role in roles else 1


def channel_names(names, count):
    """Return one name or None per channel: `names` where there is one each, none else."""
    return [name or None for name in names] if len(names) == count else [None] * count
