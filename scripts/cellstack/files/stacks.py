"""The TIFF files in which stacks pass between stages.

They contain the voxel size and are written atomically; the same input gives the same bytes.
Images from outside are read by :mod:`cellstack.files.readers.opening`.
"""

import colorsys
import uuid
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellstack import __version__
from cellstack.core.planes import ComputedPlanes, Planes
from cellstack.core.types import Labels, Spacing
from cellstack.errors import InputError
from cellstack.files.atomic import atomic_write

SOFTWARE = f"cellstack {__version__}"
IMAGEJ_TYPES = ("uint8", "uint16", "float32")
# Above this size a classic TIFF cannot hold all pages, and few readers support the format in which
# ImageJ stores such stacks
IMAGEJ_BYTES = 2**32 - 2**25
GOLDEN_RATIO = 0.618034  # steps of the hue by it give colours that differ
UM_PER_CM = 1e4
SPACING_TOLERANCE = 0.01  # channels may differ by as much as a file and the sheet
SPACING_KEY = "spacing_zyx_um"  # exact values; the resolution tags of TIFF are rounded fractions


def write_stack(
    path: str | Path,
    stack: np.ndarray,
    spacing: Spacing,
    display: tuple[float, float] | None = None,
    is_labels: bool = False,
) -> None:
    """Write a stack as an uncompressed TIFF that can be memory-mapped.

    Parameters
    ----------
    path : path-like
    stack : (Z, Y, X) ndarray
        Stacks of uint8, uint16 and float32 below 4 GB are written as ImageJ TIFF, which Fiji opens
        with the right scale, and all others as OME-TIFF.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    display : (2,) tuple of float, optional
        The values that Fiji shows as black and white, such as (0, 1) for a mask. By default, the
        minimum and the maximum, or 0 and the maximum for labels.
    is_labels : bool
        Whether Fiji shows the values as labels, in different colours.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_stack(f"{folder}/raw.tif", np.zeros((5, 6, 7), np.uint16), (0.5, 0.2, 0.2))
    ...     stack, spacing = read_stack(f"{folder}/raw.tif")
    >>> stack.shape, stack.dtype.name, spacing
    ((5, 6, 7), 'uint16', (0.5, 0.2, 0.2))
    """
    _write_uncompressed(
        path, stack, stack, spacing, display or _value_range(stack, is_labels), is_labels
    )


def write_planes(
    path: str | Path, planes: Planes, dtype: "np.dtype[Any]", spacing: Spacing, highest: int
) -> None:
    """Write labels that are computed plane by plane, the same file as :func:`write_stack` writes.

    Parameters
    ----------
    path : path-like
    planes : planes of uint16 or uint32
    dtype : dtype
        Their type.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    highest : int
        The highest label.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> stack = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    >>> with TemporaryDirectory() as folder:
    ...     names = [f"{folder}/{number}.tif" for number in (1, 2)]
    ...     write_stack(names[0], stack, (0.5, 0.2, 0.2), is_labels=True)
    ...     write_planes(names[1], stack, stack.dtype, (0.5, 0.2, 0.2), 23)
    ...     Path(names[0]).read_bytes() == Path(names[1]).read_bytes()
    True
    """
    # a stack of the same shape and type, without memory
    stack = np.broadcast_to(np.zeros((), dtype), planes.shape)
    one_by_one = (planes[z] for z in range(len(planes)))
    _write_uncompressed(path, stack, one_by_one, spacing, (0.0, float(highest)), is_labels=True)


def _write_uncompressed(
    path: str | Path,
    stack: np.ndarray,
    data: np.ndarray | Iterator[np.ndarray],
    spacing: Spacing,
    display: tuple[float, float],
    is_labels: bool,
) -> None:
    """Write the data, or planes of them, of a stack of the shape and type of `stack`."""
    z, y, x = (float(step) for step in spacing)
    with atomic_write(path) as temporary:
        if stack.dtype.name in IMAGEJ_TYPES and stack.nbytes < IMAGEJ_BYTES:
            metadata: dict[str, Any] = {
                "axes": "TZCYXS",
                "spacing": z,
                "unit": "um",
                SPACING_KEY: f"{z!r} {y!r} {x!r}",
            }
            low, high = display
            if low < high:
                metadata |= {"min": float(low), "max": float(high)}
            if is_labels:
                metadata |= {"mode": "color", "LUTs": [label_colors()]}
            # all six axes of ImageJ; otherwise tifffile reads a last axis of length 1 as S
            six = stack[None, :, None, :, :, None]
            tifffile.imwrite(
                temporary,
                six if data is stack else data,
                shape=six.shape,
                dtype=stack.dtype,
                imagej=True,
                byteorder="<",
                photometric="minisblack",
                resolution=(1 / x, 1 / y),
                software=SOFTWARE,
                metadata=metadata,
            )
        else:
            tifffile.imwrite(
                temporary,
                data,
                shape=stack.shape,
                dtype=stack.dtype,
                ome=True,
                photometric="minisblack",
                software=SOFTWARE,
                metadata=ome_metadata(path, stack, spacing),
                **_resolution(spacing),
            )


def _value_range(stack: np.ndarray, is_labels: bool) -> tuple[float, float]:
    """Return the smallest and the largest finite value, for labels from 0."""
    if stack.size == 0:
        return 0.0, 0.0
    high = float(np.fmax.reduce(stack, axis=None))
    low = 0.0 if is_labels else float(np.fmin.reduce(stack, axis=None))
    return (low, high) if np.isfinite([low, high]).all() else (0.0, 0.0)


@cache
def label_colors() -> NDArray[np.uint8]:
    """Return a colour table of ImageJ, of shape (3, 256): black, then different colours."""
    colors = [(0.0, 0.0, 0.0)]
    for i in range(255):
        hue = i * GOLDEN_RATIO % 1
        colors.append(colorsys.hsv_to_rgb(hue, (1.0, 0.6, 0.8)[i % 3], (1.0, 1.0, 0.75)[i % 3]))
    return np.round(255 * np.array(colors).T).astype(np.uint8)


def _resolution(spacing: Spacing) -> dict[str, Any]:
    """Return the pixel size for readers that ignore the metadata of OME, such as ImageJ."""
    _, y, x = spacing
    return {"resolution": (UM_PER_CM / x, UM_PER_CM / y), "resolutionunit": "CENTIMETER"}


def write_labels(path: str | Path, labels: Labels, spacing: Spacing, threads: int = 1) -> None:
    """Write labels as a compressed OME-TIFF.

    Parameters
    ----------
    path : path-like
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    threads : int
        Number of threads for the compression. The file does not depend on it.
    """
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            labels,
            ome=True,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=threads,
            software=SOFTWARE,
            metadata=ome_metadata(path, labels, spacing),
            **_resolution(spacing),
        )


def write_channels(
    path: str | Path,
    stack: np.ndarray,
    spacing: Spacing,
    names: Sequence[str],
    *,
    axes: str = "ZCYX",
    title: str | None = None,
    compression: str | None = "zlib",
) -> None:
    """Write a stack with several channels as an OME-TIFF.

    Parameters
    ----------
    path : path-like
    stack : ndarray of uint8, uint16 or float32
        Its axes are those of `axes`.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    names : list of str
        Names of the channels.
    axes : {"ZCYX", "CZYX"}
    title : str, optional
        Name of the image, by default that of the file.
    compression : {"zlib", None}
    """
    metadata = ome_metadata(path, stack, spacing)
    metadata |= {"axes": axes, "Channel": {"Name": list(names)}}
    if title is not None:
        metadata["Name"] = title
    with atomic_write(path) as temporary:
        tifffile.imwrite(
            temporary,
            stack,
            ome=True,
            photometric="minisblack",
            compression=compression,
            software=SOFTWARE,
            metadata=metadata,
            **_resolution(spacing),
        )


def ome_metadata(path: str | Path, stack: np.ndarray, spacing: Spacing) -> dict[str, Any]:
    """Return the metadata of a stack for tifffile's OME-TIFF writer.

    Parameters
    ----------
    path : path-like
        The file. Its name becomes the name of the image.
    stack : ndarray
        Its shape, its type and the name of the file determine the UUID, which tifffile would
        otherwise draw at random.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.

    Returns
    -------
    dict
        For a single channel with the axes Z, Y, X.
    """
    name = Path(path).name
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"cellstack/{name}/{stack.shape}/{stack.dtype}")
    sizes = {f"PhysicalSize{axis}": float(step) for axis, step in zip("ZYX", spacing, strict=True)}
    units = {f"{key}Unit": "µm" for key in sizes}
    return {
        "axes": "ZYX",
        "UUID": f"urn:uuid:{identity}",
        "Name": name,
        "Creator": SOFTWARE,
        **sizes,
        **units,
    }


def read_stack(
    path: str | Path, mapped: bool = False
) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """Read a stack that cellstack wrote.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack` or :func:`write_labels`.
    mapped : bool
        Whether to map the file into memory, if it is not compressed, so that only the parts that
        are used are read. The array is then read-only.

    Returns
    -------
    stack : (Z, Y, X) ndarray
        In the type in which it was written.
    spacing : tuple of float
        Voxel size along z, y and x in um, exactly as it was given.
    """
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        memmap = "memmap" if mapped and series.keyframe.is_memmappable else None
        stack = series.asarray(squeeze=False, out=memmap)
        axes = series.get_axes(squeeze=False)
        stack = stack.reshape([stack.shape[axes.index(axis)] for axis in "ZYX"])
        stack = np.asarray(stack)  # slicing an ndarray is faster than slicing a memmap
        if tif.imagej_metadata:
            z, y, x = (float(step) for step in tif.imagej_metadata[SPACING_KEY].split())
        else:
            description: Any = tifffile.xml2dict(str(tif.ome_metadata))
            pixels = description["OME"]["Image"]["Pixels"]
            z, y, x = (float(pixels[f"PhysicalSize{axis}"]) for axis in "ZYX")
    return stack, (z, y, x)


def read_planes(path: str | Path) -> tuple[Planes, tuple[float, float, float]]:
    """Open a stack that cellstack wrote, to read it plane by plane.

    Unlike those of a memory-mapped stack, planes that were read do not stay in memory.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack`.

    Returns
    -------
    planes : Planes
    spacing : tuple of float
        Voxel size along z, y and x in um.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_stack(f"{folder}/a.tif", np.eye(4, dtype=np.uint8)[None], (0.5, 0.2, 0.2))
    ...     planes, spacing = read_planes(f"{folder}/a.tif")
    ...     planes[0][1]
    array([0, 1, 0, 0], dtype=uint8)
    """
    stack, spacing = read_stack(path, mapped=True)
    with tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        offset = series.dataoffset
        dtype = stack.dtype.newbyteorder(tif.byteorder)
    if offset is None:
        raise ValueError(f"{path} is compressed or not contiguous")
    _, rows, columns = stack.shape

    def read(planes: range) -> NDArray[Any]:
        start = offset + planes.start * rows * columns * dtype.itemsize
        values = np.fromfile(path, dtype, len(planes) * rows * columns, offset=start)
        values = values.reshape(len(planes), rows, columns)
        return values.astype(dtype.newbyteorder("="), copy=False)

    return ComputedPlanes(stack.shape, lambda z: read(range(z, z + 1))[0], read), spacing


def read_channel(
    path: str | Path, labels: str | Path, shape: tuple[int, ...], spacing: Spacing
) -> NDArray[Any]:
    """Read a channel in which objects are measured or cut out.

    Parameters
    ----------
    path : path-like
        A file written by :func:`write_stack`.
    labels : path-like
        The file of the objects, for messages.
    shape : (3,) tuple of int
        Shape of the objects' stack.
    spacing : (3,) sequence of float
        Voxel size of the objects' stack along z, y and x in um.

    Returns
    -------
    (Z, Y, X) ndarray
        Memory-mapped and read-only if possible.

    Raises
    ------
    InputError
        The channel has another shape or voxel size.
    """
    values, steps = read_stack(path, mapped=True)
    if values.shape != shape:
        raise InputError(
            f"{path} has shape {values.shape}, {labels} has shape {shape}: "
            "all channels of a stack need the same shape"
        )
    if not np.allclose(steps, spacing, rtol=SPACING_TOLERANCE):
        raise InputError(
            f"{path} has voxels of {steps} um, {labels} of {spacing} um: "
            "all channels of a stack need the same voxel size"
        )
    return values
