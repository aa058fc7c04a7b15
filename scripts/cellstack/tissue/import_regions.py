"""Import of a label image of regions, on the grid of a stack."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cellstack.core.labels import highest_label, label_type
from cellstack.core.planes import Allocate, ComputedPlanes, Planes
from cellstack.errors import InputError
from cellstack.files.readers import image_source, limits
from cellstack.files.readers.image_source import ImageSource
from cellstack.prepare.import_labels import read_labels, sample_labels

MAX_LABEL = int(np.iinfo(np.uint32).max)


def import_regions(
    source: ImageSource,
    name: str,
    *,
    stack_name: str,
    stack_shape: tuple[int, ...],
    downsample: Sequence[int],
    allocate: Allocate = np.empty,
) -> Any:
    """Read an open label image of the regions of a stack.

    Parameters
    ----------
    source : ImageSource
        Of the shape of the image, or coarser by a whole number along each axis: regions are often
        drawn at a lower resolution.
    name, stack_name : str
        Names of the label image and the stack in messages.
    stack_shape : (3,) tuple of int
        Shape of the stack, after it was downsampled.
    downsample : (3,) sequence of int
        Factors along z, y, x by which the stack was downsampled.
    allocate : callable
        Provides the labels as read and as returned. One plane is read at a time.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint16 or uint32
        Labels as in the file, since their numbers have names; 0 is outside all regions.

    Raises
    ------
    InputError
        The image has several channels, its shape does not fit, or its values are not labels.
    """
    if len(source.channels) > 1:
        raise InputError(
            f"{name}: has {len(source.channels)} channels: give regions in a file with one channel"
        )
    shape = (source.count, *source.plane_shape)
    is_full = stack_shape == tuple(
        length // factor for length, factor in zip(shape, downsample, strict=True)
    )
    if not is_full and any(size % length for size, length in zip(stack_shape, shape, strict=True)):
        reduced = "" if set(downsample) == {1} else f" (after downsample {list(downsample)})"
        raise InputError(
            f"{name}: regions of shape {shape} do not fit {stack_name} of shape {stack_shape}"
            f"{reduced}: give regions of the shape of the image, or of a shape that divides that "
            "of the stack along each axis"
        )
    with image_source.input_errors(name), limits.limited_memory(limits.memory_to_read(source)):
        labels = read_labels(name, source.planes(0), shape, source.dtype, allocate)
    highest = highest_label(labels)
    if highest > MAX_LABEL:
        raise InputError(
            f"{name}: the highest label is {highest}: give labels of at most {MAX_LABEL}"
        )
    planes = sample_labels(labels, downsample) if is_full else repeat_labels(labels, stack_shape)
    regions = allocate(planes.shape, label_type(highest))
    for z, plane in enumerate(planes):
        regions[z] = plane
    return regions


def repeat_labels(labels: Planes, shape: Sequence[int]) -> ComputedPlanes:
    """Repeat each voxel of a coarse label image, until it has the shape of a stack.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of integers
    shape : (3,) sequence of int
        A multiple of that of `labels` along each axis.

    Returns
    -------
    ComputedPlanes
        Of that shape.

    Examples
    --------
    >>> [plane.tolist() for plane in repeat_labels(np.array([[[0, 7]]]), (2, 1, 4))]
    [[[0, 0, 7, 7]], [[0, 0, 7, 7]]]
    """
    depth, rows, columns = (
        max(1, size // length) for size, length in zip(shape, labels.shape, strict=True)
    )
    return ComputedPlanes(
        tuple(shape),
        labels.dtype,
        lambda z: labels[z // depth].repeat(rows, axis=0).repeat(columns, axis=1),
    )
