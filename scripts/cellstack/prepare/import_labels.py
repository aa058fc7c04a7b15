"""Import of external labels: checks, sampling on the grid of a stack and renumbering."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import fastremap
import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import label_type
from cellstack.core.planes import Allocate, ComputedPlanes, Planes, Stack
from cellstack.errors import InputError
from cellstack.files.readers import image_source, limits
from cellstack.files.readers.image_source import ImageSource
from cellstack.prepare.check_image import check_factors

EXACT_FLOATS = 2**53  # from here on, not all integers can be represented by floats
MAX_PARTS = 20.0  # of a label in a plane, on average: branched cells have several
MAX_PARTS_OF_ONE = 2.0  # of the only label of an image
MAX_FRACTION = 0.5  # of an image without background that one label covers
MIN_PIXELS = 2.0  # of a part in a plane, on average, where most of the image is objects


def import_labels(
    source: ImageSource,
    name: str,
    *,
    stack_name: str,
    stack_shape: tuple[int, ...],
    downsample: Sequence[int],
    allocate: Allocate = np.empty,
) -> Any:
    """Read an open label image that belongs to a stack.

    Parameters
    ----------
    source : ImageSource
    name, stack_name : str
        Names of the label image and the stack in messages.
    stack_shape : (3,) tuple of int
        Shape of the stack, which was downsampled by the same factors.
    downsample : (3,) sequence of int
        Factors along z, y, x.
    allocate : callable
        Provides the labels as read and as returned. One plane is read at a time.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint16 or uint32
        Labels 1..n, in the order of the labels in the image.

    Raises
    ------
    InputError
        The image has several channels or another shape, or its values are not labels.
    """
    if len(source.channels) > 1:
        raise InputError(
            f"{name}: has {len(source.channels)} channels: give labels in a file with one channel"
        )
    shape = (source.count, *source.plane_shape)
    check_factors(name, downsample, shape)
    sampled = tuple(length // factor for length, factor in zip(shape, downsample, strict=True))
    if stack_shape != sampled:
        reduced = "" if set(downsample) == {1} else f" with downsample {downsample}"
        reduced += ", which has its axes in another order" * (
            sorted(stack_shape) == sorted(sampled)
        )
        raise InputError(
            f"{name}: labels of shape {shape} do not fit {stack_name} of shape {stack_shape}"
            f"{reduced}: give labels of the same image"
        )
    with image_source.input_errors(name), limits.limited_memory(limits.memory_to_read(source)):
        labels = read_labels(name, source.planes(0), shape, source.dtype, allocate)
    check_labels(name, labels)
    return renumber(sample_labels(labels, downsample), allocate)


def check_labels(name: str, labels: Planes) -> None:
    """Raise an error if integers are a mask, intensities, or labels with another background.

    Parameters
    ----------
    name : str
        Name of the label image in messages.
    labels : (Z, Y, X) ndarray or planes of integers
        0 is background.

    Raises
    ------
    InputError
        Labels consist of many parts, or one of them covers most of an image without background.

    Examples
    --------
    >>> check_labels("a.tif", np.array([[[1, 1, 0, 2, 2]]]))
    """
    import cc3d  # some scripts use other functions of this module only

    sections, parts = 0, 0
    voxels: Counter[int] = Counter()
    for plane in labels:
        plane = np.ascontiguousarray(plane)
        found, counts = fastremap.unique(plane, return_counts=True)
        voxels.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        sections += int(np.count_nonzero(found))
        parts += cc3d.connected_components(plane, connectivity=8, return_N=True)[1]
    objects = voxels.total() - voxels[0]
    is_grainy = objects < MIN_PIXELS * parts and objects > voxels.total() / 2
    max_parts = MAX_PARTS_OF_ONE if len(voxels.keys() - {0}) == 1 else MAX_PARTS
    if parts > max_parts * sections or is_grainy:
        raise InputError(
            f"{name}: its labels have {parts / sections:.1f} separate parts in a plane on average, "
            f"of {objects / parts:.1f} pixels each, like a mask or an image of intensities: give a "
            "different number to each object"
        )
    largest, count = voxels.most_common(1)[0]
    if not voxels[0] and len(voxels) > 1 and count > MAX_FRACTION * voxels.total():
        raise InputError(
            f"{name}: no voxel is background (0), and label {largest} covers "
            f"{100 * count / voxels.total():.0f} % of the image: give the background the value 0"
        )


def read_labels(
    name: str,
    planes: Iterable[NDArray[Any]],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    allocate: Allocate = np.empty,
) -> Any:
    """Combine planes of labels into a stack.

    Parameters
    ----------
    name : str
        Name of the label image in messages.
    planes : iterable of (Y, X) ndarray
        Integers, or floats with integer values.
    shape : (3,) tuple of int
        Numbers of planes, rows and columns.
    dtype : dtype
        Type of the planes.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of integers

    Raises
    ------
    InputError
        A value is not a label: negative, not an integer, or a colour.
    """
    if dtype.kind not in "uif":
        raise InputError(
            f"{name}: labels of type {dtype.name} are not supported: give one integer per object"
        )
    labels = allocate(shape, np.int64 if dtype.kind == "f" else dtype)
    smallest = 0
    for z, plane in zip(range(shape[0]), planes, strict=True):
        if plane.ndim == 3:
            raise InputError(f"{name}: has colours: give labels as one integer per object")
        if dtype.kind == "f" and not (
            (np.abs(plane) < EXACT_FLOATS).all() and (plane == np.rint(plane)).all()
        ):
            raise InputError(
                f"{name}: has values that are not integers below 2^53: give labels as one integer "
                "per object"
            )
        labels[z] = plane
        smallest = min(smallest, int(plane.min(initial=0)))
    if smallest < 0:
        raise InputError(
            f"{name}: the smallest label is {smallest}: labels must be 0 (background) or above"
        )
    return labels


def sample_labels(labels: Stack, factors: Sequence[int]) -> ComputedPlanes:
    """Downsample labels: take the voxel at the centre of each block, because labels have no mean.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of integers
        0 is background.
    factors : (3,) sequence of int
        Size of a block along z, y, x. Incomplete blocks at the end of an axis are dropped.

    Returns
    -------
    ComputedPlanes
        Of the shape that :func:`cellstack.prepare.import_stack.downsample_stack` returns.

    Examples
    --------
    >>> sample_labels(np.array([[[1, 1, 2, 2, 2, 3, 3]]]), (1, 1, 3))[0]
    array([[1, 2]])
    """
    places, rows, columns = (
        slice(factor // 2, length // factor * factor, factor)
        for length, factor in zip(labels.shape, factors, strict=True)
    )
    shape = tuple(length // factor for length, factor in zip(labels.shape, factors, strict=True))
    planes = range(len(labels))[places]
    return ComputedPlanes(shape, labels.dtype, lambda z: labels[planes[z], rows, columns])


def renumber(labels: Planes, allocate: Allocate = np.empty) -> Any:
    """Renumber labels to 1..n, keeping their order.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of integers
        0 is background.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint16 or uint32

    Examples
    --------
    >>> renumber(np.array([[[0, 90, 7]]]))
    array([[[0, 2, 1]]], dtype=uint16)
    """
    found = [fastremap.unique(np.ascontiguousarray(plane)) for plane in labels]
    old = np.unique(np.concatenate([np.zeros(1, labels.dtype), *found]))[1:]
    new = {label: number for number, label in enumerate(old.tolist(), 1)} | {0: 0}
    renumbered = allocate(labels.shape, label_type(len(old)))
    for z, (plane, its) in enumerate(zip(labels, found, strict=True)):
        table = {label: new[label] for label in its.tolist()}
        renumbered[z] = fastremap.remap(np.ascontiguousarray(plane), table)
    return renumbered
