"""Common parts of all image readers: the description of an image, its axes and its errors."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.errors import InputError
from cellstack.files.readers.voxel_size import StoredSize

Planes = Iterator[NDArray[Any]]

NOT_A_STACK = (
    "save one stack as a separate file, or correct the axes, in Fiji with Image > Properties"
)
UNNAMED = "fill in axes in the sheet, such as zcyx, or save it with named axes"

OBJECT_OF_TIFFFILE = re.compile(r"<tifffile\.[^>]*> ")  # at the start of its log messages
MAX_REASON_LENGTH = 200
MAX_MESSAGE_LENGTH = 600
MAX_NAME_LENGTH = 100  # of a channel
LOSSY = "JPEG compression is lossy: measured intensities are not exactly those of the microscope"
REDUCED = "colours were reduced to their luminance"  # notice of an image with samples S


@dataclass
class ImageSource:
    """An open image whose pixels are not read yet.

    Attributes
    ----------
    files : list of pathlib.Path
        Empty for a remote image.
    format : str
        Name of the format, such as ``"OME-TIFF"``.
    axes : str
        Axes as the file names them.
    shape : tuple of int
        Length of each axis.
    dtype : numpy.dtype
    count : int
        Number of planes of one channel.
    plane_shape : (2,) tuple of int
        Y and X.
    channels : list of str or None
        Name of each channel, None for channels without a name.
    planes : callable
        Takes the number of a channel and yields its planes of shape (Y, X), or (Y, X, S) with
        red, green and blue first.
    spacing : dict of str to StoredSize
        Voxel size in the file, by axis.
    scene : str or None
        Number and name of the scene that is read, in a file with several.
    time : int or None
        Number of the time point that is read, in a file with several.
    acquisition : dict
        What the file says about the acquisition, such as the objective.
    notices : list of str
        What the user should know.
    flags : list of str
        Notices that affect the interpretation of the measurements. They are shown in `stacks.csv`.
    count_chunks : callable or None
        Takes the number of a channel, whose planes must have been read if the image is remote, and
        returns how many of its chunks are absent, and how many it has; None for formats without
        chunks that can be absent.
    set_files : list of str
        Names of the files with the planes of the stack, in order, according to the metadata of this
        file; empty if it does not belong to a set.
    other_files : list of pathlib.Path
        Files and folders that are read besides `files`, such as the other files of a set.
    z_position : float or None
        Position of a single plane along z in um, if the file contains it.
    measure_z : callable or None
        Returns the distance between planes that their positions give, None if they give none. It
        opens the files of all planes, which takes too long while the workflow is parsed.
    """

    files: list[Path]
    format: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int
    plane_shape: tuple[int, int]
    channels: list[str | None]
    planes: Callable[[int], Planes]
    spacing: dict[str, StoredSize] = field(default_factory=dict)
    scene: str | None = None
    time: int | None = None
    acquisition: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    count_chunks: Callable[[int], tuple[int, int]] | None = None
    set_files: list[str] = field(default_factory=list)
    other_files: list[Path] = field(default_factory=list)
    z_position: float | None = None
    measure_z: Callable[[], StoredSize | None] | None = None


@contextmanager
def input_errors(name: str) -> Iterator[None]:
    """Convert any error of a reader to an :class:`InputError` of one line.

    Errors that tifffile only logs are raised too.

    Parameters
    ----------
    name : str
        Name of the image in messages.

    Raises
    ------
    InputError
        The body raised an error, or tifffile logged one. The message quotes it.
    """
    logged = []

    def keep(entry: logging.LogRecord) -> bool:
        if entry.levelno >= logging.ERROR:
            logged.append(entry.getMessage())
        return entry.levelno < logging.ERROR

    logger = logging.getLogger("tifffile")
    logger.addFilter(keep)
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            f"{name}: needs more memory than an image of its size should: export it again with "
            "another compression; if that fails too, the machine or the job has too little memory"
        ) from error
    except Exception as error:
        reason = one_line(str(error), MAX_REASON_LENGTH) or type(error).__name__
        raise InputError(
            f"{name}: cannot be read as an image ({reason}): "
            "copy or export it again, as a TIFF, planes as TIFF or PNG, or an OME-Zarr"
        ) from error
    finally:
        logger.removeFilter(keep)
    if logged:
        raise InputError(
            f"{name}: is damaged or incomplete "
            f"({one_line(OBJECT_OF_TIFFFILE.sub('', logged[0]), MAX_REASON_LENGTH)}): "
            "copy or export it again"
        )


def one_line(text: str, length: int = MAX_MESSAGE_LENGTH) -> str:
    """Return a text in one line of printable characters, without its middle if it is too long.

    Examples
    --------
    >>> one_line("a long text", length=10)
    'a lon...xt'
    """
    if not text.isprintable():
        text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    half = length // 2
    return text if len(text) <= length else f"{text[:half]}...{text[half + 3 - length :]}"


def axis_roles(
    name: str, axes: Sequence[str], shape: Sequence[int], colour: bool, selected: str = "T"
) -> list[str]:
    """Return the role of each axis of an image.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    axes : sequence of str
        Axes as the file names them: Z, C, Y, X, S (samples), T; Q or I for an axis without a
        name, which is interpreted as Z if there is only one and no Z.
    shape : sequence of int
        Length of each axis.
    colour : bool
        Whether the samples are red, green and blue. Otherwise they are channels.
    selected : str
        Other axes of which the reader selects one entry.

    Returns
    -------
    list of str
        For each axis Z, C, Y, X, S or a selected one, or 1 for any axis of length 1 except Y and X.

    Raises
    ------
    InputError
        The image is empty, or not a single stack.

    Examples
    --------
    >>> axis_roles("a.tif", "TZYX", (1, 5, 64, 64), colour=False)
    ['1', 'Z', 'Y', 'X']
    """
    roles = [
        axis if axis in ("Y", "X") or length > 1 else "1"
        for axis, length in zip(axes, shape, strict=True)
    ]
    if not colour:
        roles = ["C" if role == "S" else role for role in roles]
    unnamed = [position for position, role in enumerate(roles) if role in ("Q", "I")]
    if len(unnamed) == 1 and "Z" not in roles:
        roles[unnamed[0]] = "Z"
    present = [position for position, role in enumerate(roles) if role != "1"]
    found = (
        f"axes {''.join(axes[position] for position in present)}, "
        f"shape {tuple(shape[position] for position in present)}"
    )
    if 0 in shape:
        raise InputError(f"{name}: is empty ({found}): export it again")
    for axis, role, length in zip(axes, roles, shape, strict=True):
        if role not in f"ZCYXS1{selected}":
            raise InputError(
                f"{name}: has {length} entries along the axis {axis} ({found}), but a single "
                f"stack is needed: {UNNAMED if axis in 'QI' else NOT_A_STACK}"
            )
    named = [roles[position] for position in present]
    missing = [axis for axis in ("Y", "X") if axis not in named]
    if missing:
        raise InputError(
            f"{name}: is a section without the axis {missing[0]} ({found}), but a stack is needed: "
            "choose another scene or file, or set include to false in the sheet"
        )
    if len(set(named)) < len(named):
        raise InputError(
            f"{name}: its axes are not those of a stack ({found}): "
            "save it with named axes, as OME-TIFF or ImageJ TIFF"
        )
    return roles


def select_axes(
    array: Any, roles: Sequence[str], where: Mapping[str, int | slice], order: str
) -> NDArray[Any]:
    """Return a part of an array with its axes in a given order.

    Parameters
    ----------
    array : array-like
        Anything that is indexed like an ndarray.
    roles : sequence of str
        Role of each axis, see :func:`axis_roles`.
    where : dict of str to int or slice
        Index by role. Axes with an integer index are removed.
    order : str
        Roles of the axes to be kept, as far as `array` has them. The first entry is taken from
        all other axes that `where` does not name.

    Returns
    -------
    ndarray
        With its axes in `order`.

    Examples
    --------
    >>> stack = np.zeros((2, 5, 6, 7))
    >>> select_axes(stack, "CZYX", {"C": 1}, "YXZ").shape
    (6, 7, 5)
    """
    index = []
    for role in roles:
        kept = role in order and role not in where
        index.append(slice(None) if kept else where.get(role, 0))
    part = np.asarray(array[tuple(index)])
    remaining = [role for role in roles if role in order]
    return part.transpose([remaining.index(axis) for axis in order if axis in remaining])


def axis_length(roles: Sequence[str], shape: Sequence[int], role: str) -> int:
    """Return the length of the axis with a role, 1 if there is none."""
    return shape[roles.index(role)] if role in roles else 1


def channel_names(names: Sequence[object], count: int) -> list[str | None]:
    """Return a name or None for each channel: `names` if there is one for each, else no names."""
    if len(names) != count:
        return [None] * count
    return [one_line(str(name), MAX_NAME_LENGTH) if name else None for name in names]
