"""Import of one channel of an image: selection, checks, conversion and downsampling."""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import agree, counted
from cellstack.core.no_data import find_no_data, no_data_of_parts
from cellstack.core.planes import Allocate, Stack, as_type, slabs
from cellstack.errors import InputError
from cellstack.files.readers import image_source, limits, opening, parts, voxel_size
from cellstack.files.readers.image_source import ImageSource
from cellstack.prepare.check_image import check_chunks, check_factors, check_planes, check_room
from cellstack.prepare.colours import find_coloured, flag_colours, luminance, pick_colour

log = logging.getLogger(__name__)

FLOATS = ("float16", "float32", "float64")
MAX_EXACT = 2**24  # up to here, float32 represents all integers exactly
MAX_NAMED = 10  # channels in a message
NOT_CHANNELS = (
    "; if they are planes, correct the axes, of a TIFF in Fiji with Image > Properties, of an "
    "OME-Zarr in its metadata"
)


class Imported(NamedTuple):
    """An imported channel.

    Attributes
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing : list of float
        Voxel size along z, y, x in um.
    record : dict
        What was found in the image and the sheet, and where each value comes from.
    """

    stack: Stack
    spacing: list[float]
    record: dict[str, Any]


def import_stack(
    source: ImageSource,
    name: str,
    *,
    channel: str,
    channel_index: str | None,
    spacing: Mapping[str, float | None],
    downsample: Sequence[int] = (1, 1, 1),
    allocate: Allocate = np.empty,
    room: int | None = None,
) -> Imported:
    """Read one channel of an open image.

    Parameters
    ----------
    source : ImageSource
    name : str
        Name of the image in messages.
    channel : str
        Channel in the sheet.
    channel_index : str or None
        Number (from 0) or name of the channel in the image, see :func:`pick_channel`.
    spacing : dict
        Voxel size in um that the sheet gives for the axes `z`, `y` and `x`; None where it is empty.
    downsample : (3,) sequence of int
        Factors along z, y, x, see :func:`downsample_stack`.
    allocate : callable
        Returns a stack of a shape and type to which planes are written: `numpy.empty`, or that of
        :func:`cellstack.files.scratch.scratch_stacks`.
    room : int, optional
        Free disk space in bytes, by default that for the working directory.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        The channel or the voxel size is not known, there is no room for the stack, or its type or
        a value is not supported.
    """
    colour = pick_colour(name, source, channel_index)
    if colour is None:
        hint = NOT_CHANNELS if len(source.channels) > source.count else ""
        number, reason = pick_channel(name, source.channels, channel_index, channel, hint)
    else:
        number, reason = 0, f"the samples of {channel_index}, as channel_index in the sheet"
    shape = (source.count, *source.plane_shape)
    check_factors(name, downsample, shape)
    room = shutil.disk_usage(".").free if room is None else room
    check_room(name, shape, source.dtype.itemsize, downsample, room)
    with image_source.input_errors(name):
        measured = source.measure_z() if source.measure_z else None
    stored = source.spacing | ({"z": measured} if measured else {})
    chosen, notices = voxel_size.choose(name, stored, spacing, source.count)
    flags = [
        *source.flags,
        *voxel_size.find_doubtful(stored, spacing),
        *check_planes(source.count, chosen["z"]["um"]),
    ]
    sizes = {axis: chosen[axis]["um"] for axis in "zyx"}
    flags += voxel_size.find_unusual(sizes, source.count, is_typed=any(spacing.values()))
    if source.files:  # a billion absent chunks take too long to read
        flags += check_chunks(name, source, number)
    with image_source.input_errors(name), limits.limited_memory(limits.memory_to_read(source)):
        planes = source.planes(number)
        coloured: list[int] = []
        if colour is not None:
            planes = (plane[..., colour] for plane in planes)
        elif image_source.REDUCED in source.notices:
            planes = find_coloured(planes, coloured)
        stack = fill_stack(name, planes, shape, source.dtype, allocate)
    flags += flag_colours(coloured)
    if not source.files:  # chunks of a remote image are counted while they are read
        flags += check_chunks(name, source, number)
    stack = downsample_stack(stack, downsample, allocate)
    steps = [chosen[axis]["um"] * factor for axis, factor in zip("zyx", downsample, strict=True)]
    no_data, no_data_notices = describe_no_data(stack)
    of_source = [each for each in source.notices if colour is None or each != image_source.REDUCED]
    notices = [*of_source, *notices, *no_data_notices]
    log.info(
        "%s: %s, axes %s, shape %s, %s",
        name,
        source.format,
        source.axes,
        source.shape,
        source.dtype.name,
    )
    log.info(
        "channel %d (%s): %s; voxel size %s um", number, source.channels[number], reason, steps
    )
    for notice in [*notices, *flags]:
        log.warning("%s: %s", name, notice)
    record = {
        "files": [opening.shown(path) for path in source.files] or [name],
        "format": source.format,
        "axes": source.axes,
        "shape": source.shape,
        "dtype": source.dtype.name,
        "planes": source.count,
        "scene": source.scene,
        "time": source.time,
        "channels": source.channels,
        "channel": {"index": number, "name": source.channels[number], "why": reason},
        "spacing": chosen,
        "downsample": downsample,
        "raw": {"shape": stack.shape, "dtype": stack.dtype.name, "spacing_um": steps},
        "acquisition": source.acquisition,
        "no_data": no_data,
        "notices": notices,
        "flags": flags,
    }
    return Imported(stack, steps, record)


def describe_no_data(stack: Stack) -> tuple[dict[str, float] | None, list[str]]:
    """Describe the regions without data of a stack for its record.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32

    Returns
    -------
    record : dict or None
        `value` and `limit` of :class:`cellstack.core.no_data.NoData`, and the `fraction` of voxels
        without data; None if all voxels are data.
    notices : list of str

    Examples
    --------
    >>> describe_no_data(np.zeros((2, 3, 4), np.uint8))
    (None, [])
    """
    found = find_no_data(stack)
    if found is None:
        return None, []
    marked = no_data_of_parts(stack, found)
    slabs_of = (marked[slab.planes] for slab in slabs(stack.shape))
    fraction = sum(int(np.count_nonzero(slab)) for slab in slabs_of) / stack.size
    notice = (
        f"{100 * fraction:.1f} % of the voxels have no data (value {found.value:g}, as added by "
        "rotation, stitching or padding): they are ignored, and objects that touch them count as "
        "cut"
    )
    return {**found._asdict(), "fraction": fraction}, [notice]


def pick_channel(
    name: str,
    names: Sequence[str | None],
    channel_index: str | None,
    channel: str,
    hint: str = "",
) -> tuple[int, str]:
    """Select the channel of an image that a row of the sheet describes.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    names : sequence of (str or None)
        Names of the channels in the image.
    channel_index : str or None
        Number (from 0) or name of the channel; empty or None if the sheet does not give it.
    channel : str
        Channel in the sheet. It is looked up among the names if `channel_index` is empty and the
        image has several channels.
    hint : str
        Added to the message that asks for a channel.

    Returns
    -------
    number : int
        Number of the channel, from 0.
    reason : str
        Why this channel was selected.

    Raises
    ------
    InputError
        No channel or more than one matches.

    Examples
    --------
    >>> pick_channel("a.tif", ["membrane", "DAPI"], "dapi", "nuclei")
    (1, 'channel_index dapi in the sheet')
    """
    available = ", ".join(
        str(number) if each is None else f"{number} ({each})"
        for number, each in enumerate(names[:MAX_NAMED])
    )
    available += ", ..." if len(names) > MAX_NAMED else ""
    if not channel_index:
        if len(names) == 1:
            return 0, "the only channel"
        matches = parts.find_name(names, channel)
        if len(matches) == 1:
            return matches[0], f"its name is the channel in the sheet, {channel}"
        raise InputError(
            f"{name}: it is not known which channel is {channel}, it has {available}: "
            f"fill in channel_index in the sheet{hint}"
        )
    matches = parts.find_matches(names, channel_index)
    if len(matches) == 1:
        return matches[0], f"channel_index {channel_index} in the sheet"
    problem = f"matches {len(matches)} of its channels" if matches else "matches no channel"
    fix = "correct channel_index in the sheet"
    if matches:
        fix = f"use #{matches[0]} for number {matches[0]}"
    raise InputError(f"{name}: channel_index {channel_index} {problem}, it has {available}: {fix}")


def fill_stack(
    name: str,
    planes: Iterable[NDArray[Any]],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    allocate: Allocate = np.empty,
) -> Stack:
    """Combine planes into a stack of the type in which raw intensities are stored.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    planes : iterable of (Y, X) or (Y, X, S) ndarray
        Samples S are red, green and blue; others, such as opacity, are ignored.
    shape : (3,) tuple of int
        Numbers of planes, rows and columns.
    dtype : dtype
        Type of the planes.
    allocate : callable
        See :func:`import_stack`.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Floats as float32, integers as in :func:`choose_type`. Colours are converted to luminance,
        see :func:`luminance`.

    Raises
    ------
    InputError
        The type is not supported; a float is NaN, infinite or out of range of float32; or an
        integer is too large, see :func:`choose_type`.

    Examples
    --------
    >>> planes = [np.zeros((2, 3)), np.ones((2, 3))]
    >>> fill_stack("a.tif", planes, (2, 2, 3), np.dtype(np.float64)).dtype
    dtype('float32')
    """
    if dtype.kind not in "bui" and dtype.name not in FLOATS:
        raise InputError(
            f"{name}: intensities of type {dtype.name} are not supported: convert the image to "
            "uint8, uint16 or float32"
        )
    stack = allocate(shape, np.dtype(np.float32) if dtype.kind == "f" else dtype)
    invalid, low, high = 0, 0, 0
    for plane, z in zip(planes, range(shape[0]), strict=True):
        with np.errstate(over="ignore"):  # counted below
            grey = plane if plane.ndim == 2 else luminance(plane)
            values = grey.astype(stack.dtype, copy=False)
        if stack.dtype.kind == "f":
            invalid += values.size - int(np.count_nonzero(np.isfinite(values)))
        elif values.size:
            low, high = min(low, int(values.min())), max(high, int(values.max()))
        stack[z] = values
    if invalid:
        raise InputError(
            f"{name}: {counted(invalid, 'values')} {agree(invalid, 'is', 'are')} NaN, infinite "
            f"or out of range of float32: replace {agree(invalid, 'it', 'them')} in the image"
        )
    return as_type(stack, choose_type(name, stack.dtype, low, high))


def choose_type(name: str, dtype: np.dtype[Any], low: int, high: int) -> np.dtype[Any]:
    """Return the type in which raw intensities are stored without changing any value.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    dtype : dtype
        Booleans, integers or float32.
    low, high : int
        Of integers, the lowest value or 0, and the highest one.

    Returns
    -------
    dtype
        uint8 for uint8, int8 without negative values, and booleans (0 and 1); uint16 for other
        integers from 0 to 65,535; float32 otherwise.

    Raises
    ------
    InputError
        An integer is beyond 2^24, from where on float32 does not represent all integers.

    Examples
    --------
    >>> choose_type("a.tif", np.dtype(np.int16), 0, 4095)
    dtype('uint16')
    >>> choose_type("a.tif", np.dtype(np.int16), -20, 4095)
    dtype('float32')
    """
    kept = dtype.name in ("uint8", "uint16", "float32")
    if kept or dtype.kind == "b":
        return dtype if kept else np.dtype(np.uint8)
    if low < 0 or high > np.iinfo(np.uint16).max:
        if max(-low, high) > MAX_EXACT:
            raise InputError(
                f"{name}: has integers from {low:,} to {high:,}, and those beyond {MAX_EXACT:,} "
                "cannot be stored exactly: convert the image to uint16 or float32"
            )
        return np.dtype(np.float32)
    return np.dtype(np.uint8 if dtype.itemsize == 1 else np.uint16)


def downsample_stack(stack: Stack, factors: Sequence[int], allocate: Allocate = np.empty) -> Stack:
    """Downsample a stack by averaging blocks of voxels.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    factors : (3,) sequence of int
        Size of a block along z, y, x. Incomplete blocks at the end of an axis are dropped.
    allocate : callable
        See :func:`import_stack`.

    Returns
    -------
    (Z, Y, X) ndarray or stack of the type of `stack`
        Integers are rounded.

    Examples
    --------
    >>> stack = np.array([[[1, 3, 5, 7, 9]]], np.uint8)
    >>> downsample_stack(stack, (1, 1, 2))
    array([[[2, 6]]], dtype=uint8)
    """
    if all(factor == 1 for factor in factors):
        return stack
    counts = [length // factor for length, factor in zip(stack.shape, factors, strict=True)]
    small = allocate(counts, stack.dtype)
    (_, rows, columns), (depth, height, width) = counts, factors
    for z in range(counts[0]):
        slab = stack[z * depth : (z + 1) * depth, : rows * height, : columns * width]
        blocks = slab.reshape(depth, rows, height, columns, width)
        mean = blocks.mean(axis=(0, 2, 4), dtype=np.float64)
        small[z] = mean if stack.dtype.kind == "f" else np.rint(mean)
    return cast(Stack, small)
