"""OME-Zarr: the channels and labels of a stack as multiscale images, for viewers and the cloud."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr
from numcodecs import Blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from cellstack.core.intensities import percentiles_of_planes
from cellstack.core.labels import highest_label
from cellstack.core.planes import Planes, Stack, slabs
from cellstack.core.types import Spacing
from cellstack.files.stacks import label_colors

VERSIONS = {"0.4": 2, "0.5": 3}  # of OME-Zarr, with the version of Zarr
CHUNK = (16, 256, 256)  # 2 MB of 16-bit voxels
MAX_PLANE = 256  # pixels along y and x of the last level
ANISOTROPY = 1.5  # ratio to the finest voxel size up to which an axis is downsampled too
COLORS = {"nuclei": "2A7FFF", "membrane": "00C060"}
OTHER_COLORS = ("FF40A0", "FFC000", "FF6020", "00C0C0", "FFFFFF")
DISPLAY = (0.5, 99.5)  # percentiles that are shown as black and as the full colour
AXES = {"c": "channel", "z": "space", "y": "space", "x": "space"}


class Level(NamedTuple):
    """A level of a pyramid: its factors along z, y, x, and its voxel size in um."""

    factors: tuple[int, int, int]
    spacing: tuple[float, float, float]


def write_ome_zarr(
    folder: Path,
    channels: Mapping[str, Stack],
    labels: Mapping[str, Stack],
    spacing: Spacing,
    name: str,
    version: str = "0.5",
) -> None:
    """Write a stack with its labels as OME-Zarr, a few planes at a time.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder, which becomes the image.
    channels : dict of str to (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        All of one shape. Channels of different types are written in a type that holds all values.
    labels : dict of str to (Z, Y, X) ndarray or stack of uint16 or uint32
        0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    name : str
    version : {"0.5", "0.4"}
        Version of OME-Zarr.
    """
    stacks = list(channels.values())
    levels = pyramid(stacks[0].shape, spacing)
    dtype = np.result_type(*(stack.dtype for stack in stacks))
    root = zarr.open_group(folder, mode="w", zarr_format=VERSIONS[version])  # type: ignore[arg-type]
    for number, level in enumerate(levels):
        shape = _shape(stacks[0].shape, level.factors)
        array = _create(root, str(number), (len(stacks), *shape), dtype, "czyx")
        depth = level.factors[0]
        for channel, stack in enumerate(stacks):
            for slab, *_ in slabs(shape, depth=CHUNK[0]):
                planes = [
                    average(stack[z * depth : (z + 1) * depth], level.factors)
                    for z in range(slab.start, slab.stop)
                ]
                array[channel, slab] = np.concatenate(planes).astype(dtype)
    metadata = _multiscales(name, "czyx", levels, "mean of blocks")
    metadata["omero"] = {"channels": list(_display(channels)), "rdefs": {"model": "color"}}
    _write_metadata(root, metadata, version)
    group = root.create_group("labels")
    _write_metadata(group, {"labels": list(labels)}, version, has_version=version != "0.4")
    for label, volume in labels.items():
        _write_labels(group, label, volume, levels, version)


def _write_labels(
    parent: zarr.Group, name: str, labels: Stack, levels: Sequence[Level], version: str
) -> None:
    group = parent.create_group(name)
    finer: Any = labels  # the level before, which is in the file
    factors = (1, 1, 1)
    for number, level in enumerate(levels):
        steps = tuple(new // old for new, old in zip(level.factors, factors, strict=True))
        factors = level.factors
        shape = _shape(finer.shape, steps)
        array = _create(group, str(number), shape, labels.dtype, "zyx")
        for slab, *_ in slabs(shape, depth=CHUNK[0]):
            part = finer[slab.start * steps[0] : slab.stop * steps[0]]
            array[slab] = most_frequent(part, steps)
        finer = array
    metadata = _multiscales(name, "zyx", levels, "most frequent label of blocks")
    label_version = {"version": version} if version == "0.4" else {}
    metadata["image-label"] = label_version | {
        "colors": list(_colors(labels)),
        "source": {"image": "../../"},
    }
    _write_metadata(group, metadata, version)


def pyramid(shape: Sequence[int], spacing: Spacing) -> list[Level]:
    """Return the levels of a pyramid, the full resolution first.

    Each level halves the axes whose voxel size is at most 1.5 times the smallest one, so that
    voxels become more isotropic, until a plane has at most 256 x 256 pixels.

    Parameters
    ----------
    shape : (3,) sequence of int
        Number of voxels along z, y, x.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    list of Level

    Examples
    --------
    >>> [level.factors for level in pyramid((60, 1024, 1024), (1.0, 0.25, 0.25))]
    [(1, 1, 1), (1, 2, 2), (1, 4, 4)]
    """
    levels = [Level((1, 1, 1), (float(spacing[0]), float(spacing[1]), float(spacing[2])))]
    while True:
        factors, size = levels[-1]
        current = _shape(shape, factors)
        if max(current[1:]) <= MAX_PLANE:
            return levels
        finest = min(step for step, count in zip(size, current, strict=True) if count > 1)
        halved = [
            2 if step <= ANISOTROPY * finest and count > 1 else 1
            for step, count in zip(size, current, strict=True)
        ]
        z, y, x = (a * b for a, b in zip(factors, halved, strict=True))
        dz, dy, dx = (a * b for a, b in zip(size, halved, strict=True))
        levels.append(Level((z, y, x), (dz, dy, dx)))


def _shape(shape: Sequence[int], factors: Sequence[int]) -> tuple[int, ...]:
    return tuple(count // factor for count, factor in zip(shape, factors, strict=True))


def _blocks(stack: NDArray[Any], factors: Sequence[int]) -> NDArray[Any]:
    """Return a stack as (Z, fz, Y, fy, X, fx) ndarray; incomplete blocks are left out."""
    shape = _shape(stack.shape, factors)
    z, y, x = (count * factor for count, factor in zip(shape, factors, strict=True))
    sizes = [size for pair in zip(shape, factors, strict=True) for size in pair]
    return stack[:z, :y, :x].reshape(sizes)


def average(stack: NDArray[Any], factors: Sequence[int]) -> NDArray[Any]:
    """Average blocks of voxels; integers are rounded.

    Examples
    --------
    >>> average(np.array([[[1, 2, 5, 5, 9]]], np.uint8), (1, 1, 2))
    array([[[2, 5]]], dtype=uint8)
    """
    if all(factor == 1 for factor in factors):
        return stack
    mean = _blocks(stack, factors).mean(axis=(1, 3, 5), dtype=np.float64)
    rounded = mean if stack.dtype.kind == "f" else np.rint(mean)
    result: NDArray[Any] = rounded.astype(stack.dtype)
    return result


def most_frequent(labels: NDArray[Any], factors: Sequence[int]) -> NDArray[Any]:
    """Return the most frequent label of each block; of equally frequent ones, the first.

    Examples
    --------
    >>> most_frequent(np.array([[[3, 3], [0, 3]]], np.uint16), (1, 2, 2))
    array([[[3]]], dtype=uint16)
    """
    if all(factor == 1 for factor in factors):
        return labels
    blocks = _blocks(labels, factors).transpose(1, 3, 5, 0, 2, 4)
    voxels = blocks.reshape(-1, *blocks.shape[3:])
    best: NDArray[Any] = voxels[0].copy()
    most = np.zeros(voxels.shape[1:], np.uint8)
    for candidate in voxels:
        count = np.zeros_like(most)
        for other in voxels:
            count += candidate == other
        better = count > most
        best[better], most[better] = candidate[better], count[better]
    return best


def _create(
    group: zarr.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], axes: str
) -> Any:
    sizes = (1, *CHUNK)[-len(shape) :]
    options: dict[str, Any]
    if group.metadata.zarr_format == 3:
        codec = BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=dtype.itemsize)
        options = {"compressors": codec, "dimension_names": list(axes)}
    else:
        codec = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
        options = {"compressors": codec}
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=tuple(min(size, count) for size, count in zip(sizes, shape, strict=True)),
        fill_value=0,
        chunk_key_encoding={
            "name": "default" if group.metadata.zarr_format == 3 else "v2",
            "separator": "/",
        },
        config={"write_empty_chunks": True},
        **options,
    )


def _multiscales(name: str, axes: str, levels: Sequence[Level], description: str) -> dict[str, Any]:
    datasets = []
    for number, level in enumerate(levels):
        # the centre of the first block, relative to that of the first voxel
        origin = [
            (factor - 1) / 2 * step
            for factor, step in zip(level.factors, levels[0].spacing, strict=True)
        ]
        ahead = len(axes) - 3
        transformations = [
            {"type": "scale", "scale": [1.0] * ahead + list(level.spacing)},
            {"type": "translation", "translation": [0.0] * ahead + origin},
        ]
        datasets.append({"path": str(number), "coordinateTransformations": transformations})
    unit = {"unit": "micrometer"}
    return {
        "multiscales": [
            {
                "name": name,
                "axes": [
                    {"name": axis, "type": AXES[axis]} | (unit if axis != "c" else {})
                    for axis in axes
                ],
                "datasets": datasets,
                "type": description,
            }
        ]
    }


def _display(channels: Mapping[str, Planes]) -> Iterator[dict[str, Any]]:
    """Yield the name, the colour and the displayed range of each channel."""
    others = iter(OTHER_COLORS * len(channels))
    for name, stack in channels.items():
        low, high = percentiles_of_planes(stack, DISPLAY)
        end = high if high > low else low + 1
        least, most = 0.0, float(2 ** (8 * stack.dtype.itemsize) - 1)
        if stack.dtype.kind != "u":
            least = min(float(plane.min()) for plane in stack)
            most = max(float(plane.max()) for plane in stack)
        yield {
            "label": name,
            "color": COLORS.get(name) or next(others),
            "active": True,
            "window": {"min": least, "max": max(most, end), "start": low, "end": end},
        }


def _colors(labels: Planes) -> Iterator[dict[str, Any]]:
    """Yield the colour of each label, the same as in Fiji."""
    red, green, blue = label_colors().tolist()
    is_present = np.zeros(highest_label(labels) + 1, bool)
    for plane in labels:
        is_present[plane] = True
    for value in (np.flatnonzero(is_present[1:]) + 1).tolist():
        entry = 1 + (value - 1) % (len(red) - 1)
        rgba = [red[entry], green[entry], blue[entry], 255]
        yield {"label-value": value, "rgba": rgba}


def _write_metadata(
    group: zarr.Group, metadata: dict[str, Any], version: str, *, has_version: bool = True
) -> None:
    if version != "0.4":
        group.attrs["ome"] = {"version": version} | metadata
        return
    if has_version:
        for each in (*metadata.get("multiscales", []), metadata.get("omero", {})):
            each |= {"version": version} if each else {}
    group.attrs.update(metadata)
