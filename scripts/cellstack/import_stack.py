"""Turn planes read from an image of any kind into a stack: choose the channel, check the values, shrink."""

import math
import os

import numpy as np

from cellstack.errors import InputError

KEPT_TYPES = {"uint8": "uint8", "uint16": "uint16", "float16": "float32", "float32": "float32", "float64": "float32"}
STAGE_BYTES = 10  # that the lightest of the stages takes per voxel
LUMINANCE = (0.2126, 0.7152, 0.0722)


def pick_channel(name, names, index, channel):
    """Choose which channel of a file a row of the sheet means.

    Parameters
    ----------
    name : str
        What messages call the image.
    names : sequence of (str or None)
        The file's channels in their order.
    index : str
        A number from 0 or a channel's name; empty where the sheet says nothing.
    channel : str
        The sheet's channel, tried as a name where `index` is empty and the file has several channels.

    Returns
    -------
    number : int
        From 0.
    why : str
        What decided.

    Raises
    ------
    InputError
        Where the file lacks the channel or more than one fits.
    """
    listed = ", ".join(str(number) if own is None else f"{number} ({own})" for number, own in enumerate(names))
    if not index:
        if len(names) == 1:
            return 0, "the only channel"
        fits = _named(names, channel)
        if len(fits) == 1:
            return fits[0], f"its name is the sheet's channel, {channel}"
        raise InputError(f"{name}: which of its channels shows {channel} is not known, it has {listed}: fill in index in the sheet")
    fits = set(_named(names, index))
    if index.isdecimal() and int(index) < len(names):
        fits.add(int(index))
    if len(fits) == 1:
        return fits.pop(), f"index {index} in the sheet"
    fault = f"fits {len(fits)} of its channels" if fits else "is not one of its channels"
    raise InputError(f"{name}: index {index} {fault}, it has {listed}: correct index in the sheet")


def _named(names, wanted):
    exact = [number for number, own in enumerate(names) if own == wanted]
    return exact or [number for number, own in enumerate(names) if own is not None and own.casefold() == wanted.casefold()]


def fill_stack(name, planes, shape, dtype):
    """Put planes one after the other into a stack of the type in which raw intensities are kept.

    Parameters
    ----------
    name : str
        What messages call the image.
    planes : iterable of (Y, X) or (Y, X, S) ndarray
        With red, green and blue along S where the image has colours; more samples, such as opacity, are left out.
    shape : tuple of int
        Z, Y, X.
    dtype : dtype
        The planes' type: uint8, uint16 or floating.

    Returns
    -------
    (Z, Y, X) ndarray
        uint8, uint16 or float32. Colours become their luminance on the scale of the type.

    Raises
    ------
    InputError
        Where the type is another one, or a value is NaN, infinite or beyond float32.
    """
    if dtype.name not in KEPT_TYPES:
        raise InputError(f"{name}: intensities of type {dtype.name} are not read: convert the image to uint8, uint16 or float32")
    stack = np.empty(shape, KEPT_TYPES[dtype.name])
    bad = 0
    for plane, target in zip(planes, stack, strict=True):
        with np.errstate(over="ignore"):  # counted below
            target[...] = plane if plane.ndim == 2 else luminance(plane)
        if stack.dtype.kind == "f":
            bad += target.size - np.count_nonzero(np.isfinite(target))
    if bad:
        raise InputError(f"{name}: {bad} values are NaN, infinite or beyond float32: replace them in the image before it is imported")
    return stack


def luminance(plane):
    """Reduce colours to the luminance of ITU-R BT.709, as :func:`skimage.color.rgb2gray` does, on the scale of the type.

    Parameters
    ----------
    plane : (Y, X, S) ndarray
        Red, green, blue and anything after them, which is left out.

    Returns
    -------
    (Y, X) ndarray
        In the type of `plane`; whole numbers are rounded.
    """
    grey = plane[..., :3].astype(np.float64) @ np.array(LUMINANCE)
    return grey.astype(plane.dtype) if plane.dtype.kind == "f" else np.rint(grey).astype(plane.dtype)


def check_factors(name, factors, shape):
    """Refuse factors of downsampling that are not whole numbers from 1 up to the stack's size.

    Parameters
    ----------
    name : str
        What messages call the image.
    factors : (3,) sequence of int
        Along z, y, x.
    shape : (3,) tuple of int
        Z, Y, X.

    Raises
    ------
    InputError
        Naming the axis.
    """
    for axis, factor, length in zip("zyx", factors, shape, strict=True):
        if not (isinstance(factor, int) and 1 <= factor <= length):
            raise InputError(
                f"{name}: downsample is {factor} along {axis}, it must be a whole number from 1 to {length}, the stack's size there"
            )


def check_memory(name, shape, itemsize, factors, memory=None):
    """Refuse a stack that this machine cannot hold, before any of it is read: a small file can claim, or unpack to, any size.

    Parameters
    ----------
    name : str
        What messages call the image.
    shape : (3,) tuple of int
        Z, Y, X.
    itemsize : int
        Bytes of a voxel.
    factors : (3,) sequence of int
        Of downsampling along z, y, x.
    memory : int, optional
        In bytes, else that of the machine.

    Raises
    ------
    InputError
        Where the stack and the work on it would take more.
    """
    memory = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    voxels = math.prod(shape)
    needed = voxels * itemsize + STAGE_BYTES * voxels // math.prod(factors)
    if needed > memory:
        raise InputError(
            f"{name}: a stack of {shape} voxels takes {needed / 1e9:,.0f} GB of memory, this machine has {memory / 1e9:,.0f} GB: "
            "crop it, or set import_stack.downsample; if it is not that large, the file is damaged"
        )


def downsample(stack, factors):
    """Shrink a stack by the mean over blocks of voxels.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray
        Intensities.
    factors : (3,) sequence of int
        The size of a block along z, y, x. What is left over at the end of an axis is cut off.

    Returns
    -------
    ndarray
        In the type of `stack`; whole numbers are rounded.
    """
    if all(factor == 1 for factor in factors):
        return stack
    blocks = [length // factor for length, factor in zip(stack.shape, factors, strict=True)]
    whole = stack[tuple(slice(count * factor) for count, factor in zip(blocks, factors, strict=True))]
    split = whole.reshape([size for pair in zip(blocks, factors, strict=True) for size in pair])
    mean = split.mean(axis=(1, 3, 5), dtype=np.float64)
    return mean.astype(stack.dtype) if stack.dtype.kind == "f" else np.rint(mean).astype(stack.dtype)
