"""The stacks that pass between stages: written whole or not at all, the same bytes for the same input, spacing inside.

Files that come from outside are read by :mod:`cellstack.readers`; tables are in :mod:`cellstack.table_io`.
"""

import uuid
from pathlib import Path

import numpy as np
import tifffile

from cellstack.errors import InputError
from cellstack.whole_files import whole_file

IMAGEJ_TYPES = ("uint8", "uint16", "float32")
IMAGEJ_BYTES = 2**32 - 2**25  # beyond it a classic TIFF has no room, and ImageJ's own way round it is read by few
SAME_SPACING = 0.01  # channels may differ by as much as a file and the sheet
SPACING_KEY = "spacing_zyx_um"  # exact, where TIFF's resolution tags are rounded fractions


def write_stack(path, stack, spacing, display=None):
    """Write a stack as one uncompressed contiguous TIFF that can be memory-mapped and opens at its scale in Fiji.

    Parameters
    ----------
    path : path-like
        The file to write.
    stack : (Z, Y, X) ndarray
        uint8, uint16 and float32 below 4 GB are written as ImageJ TIFF, all else as OME-TIFF.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    display : (2,) sequence of float, optional
        The values that Fiji shows as black and white, where it cannot guess them: (0, 1) for masks.
    """
    z, y, x = (float(step) for step in spacing)
    with whole_file(path) as partial:
        if stack.dtype.name in IMAGEJ_TYPES and stack.nbytes < IMAGEJ_BYTES:
            # all six axes of ImageJ: tifffile takes a last axis of one for samples
            metadata = {"axes": "TZCYXS", "spacing": z, "unit": "um", SPACING_KEY: f"{z!r} {y!r} {x!r}"}
            if display is not None:
                metadata |= {"min": float(display[0]), "max": float(display[1])}
            tifffile.imwrite(
                partial,
                stack[None, :, None, :, :, None],
                imagej=True,
                byteorder="<",
                photometric="minisblack",
                resolution=(1 / x, 1 / y),
                software="cellstack",
                metadata=metadata,
            )
        else:
            metadata = ome_metadata(path, stack, spacing)
            tifffile.imwrite(partial, stack, ome=True, photometric="minisblack", software="cellstack", metadata=metadata)


def write_labels(path, labels, spacing, threads=1):
    """Write labels as compressed OME-TIFF with physical sizes.

    Parameters
    ----------
    path : path-like
        The file to write.
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Parts that are compressed at once. The file does not depend on it.
    """
    with whole_file(path) as partial:
        tifffile.imwrite(
            partial,
            labels,
            ome=True,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=threads,
            software="cellstack",
            metadata=ome_metadata(path, labels, spacing),
        )


def write_channels(path, stack, spacing, names):
    """Write a stack with several channels as compressed OME-TIFF with their names and physical sizes.

    Parameters
    ----------
    path : path-like
        The file to write.
    stack : (Z, C, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    names : list of str
        The name of each channel.
    """
    metadata = ome_metadata(path, stack, spacing) | {"axes": "ZCYX", "Channel": {"Name": names}}
    with whole_file(path) as partial:
        tifffile.imwrite(partial, stack, ome=True, photometric="minisblack", compression="zlib", software="cellstack", metadata=metadata)


def ome_metadata(path, stack, spacing):
    """Describe a stack for tifffile's OME writer, as one channel, with an identity that is the same on every run."""
    # tifffile draws a random UUID unless it is given one; the same file must have the same bytes on every run
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"cellstack/{Path(path).name}/{stack.shape}/{stack.dtype}")
    sizes = {f"PhysicalSize{axis}": float(step) for axis, step in zip("ZYX", spacing, strict=True)}
    units = {f"{name}Unit": "µm" for name in sizes}
    return {"axes": "ZYX", "UUID": f"urn:uuid:{identity}", "Name": Path(path).name, "Creator": "cellstack"} | sizes | units


def read_stack(path, mapped=False):
    """Read a stack that cellstack wrote.

    Parameters
    ----------
    path : path-like
        A file of :func:`write_stack` or :func:`write_labels`.
    mapped : bool
        Whether parts are read when they are looked at, where the file allows it; the array can then not be written to.

    Returns
    -------
    stack : (Z, Y, X) ndarray
        In the type that was written.
    spacing : tuple of float
        Voxel size along z, y, x in um, exactly as it was given.
    """
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        stack = series.asarray(squeeze=False, out="memmap" if mapped and series.keyframe.is_memmappable else None)
        stack = stack.reshape([stack.shape[series.get_axes(squeeze=False).index(axis)] for axis in "ZYX"])
        stack = np.asarray(stack)  # of np.memmap each part would be one, which takes time to make
        if tif.imagej_metadata:
            spacing = tuple(float(step) for step in tif.imagej_metadata[SPACING_KEY].split())
        else:
            pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
            spacing = tuple(float(pixels[f"PhysicalSize{axis}"]) for axis in "ZYX")
    return stack, spacing


def read_channel(path, labels, shape, spacing):
    """Read a channel of which objects are to be measured or cut out.

    Parameters
    ----------
    path : path-like
        A file of :func:`write_stack`.
    labels : path-like
        What the message calls the objects.
    shape : (3,) tuple of int
        Their shape.
    spacing : (3,) sequence of float
        Their voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray
        Mapped from the file where that allows it; it can then not be written to.

    Raises
    ------
    InputError
        The channel has another shape or voxel size.
    """
    values, steps = read_stack(path, mapped=True)
    if values.shape != shape:
        raise InputError(f"{path} has shape {values.shape}, {labels} has {shape}: all channels of a stack need the same shape")
    if not np.allclose(steps, spacing, rtol=SAME_SPACING):
        raise InputError(f"{path} has voxels of {steps} um, {labels} of {spacing} um: all channels of a stack need the same voxel size")
    return values


def label_type(count):
    """Return the smaller of uint16 and uint32 that holds labels up to `count`."""
    return np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32
