"""Connected components of masks."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import count_voxels, relabel
from cellstack.core.planes import Allocate, Slab, Stack, slabs
from cellstack.core.types import BoolVolume, Boxes, Labels

SLAB_VOXELS = 1 << 22  # of a mask that is labelled in slabs


def keep_marked_components(mask: BoolVolume, markers: BoolVolume) -> BoolVolume:
    """Keep the connected components of a mask that contain a marker.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        Voxels are connected across faces.
    markers : (Z, Y, X) ndarray of bool
        Markers outside the mask have no effect.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Examples
    --------
    >>> mask = np.array([[[True, True, False, True]]])
    >>> markers = np.array([[[True, False, True, False]]])
    >>> keep_marked_components(mask, markers)
    array([[[ True,  True, False, False]]])
    """
    import cc3d  # some stages that import this module do not use it

    components = cc3d.connected_components(mask, connectivity=6)
    marked = np.zeros(int(components.max(initial=0)) + 1, bool)
    marked[components[markers]] = True
    marked[0] = False
    return relabel(components, marked)


def find_divided(labels: Stack, boxes: Boxes) -> list[int]:
    """Return the labels of objects that consist of several parts.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes, see :func:`cellstack.core.labels.find_boxes`.

    Returns
    -------
    list of int
        Voxels of one part are connected across faces, edges or corners.

    Examples
    --------
    >>> from cellstack.core.labels import find_boxes
    >>> labels = np.uint16([[[1, 2, 2, 0, 1]]])
    >>> find_divided(labels, find_boxes(labels))
    [1]
    """
    import cc3d

    divided = []
    for label, box in boxes.items():
        mask = np.pad(labels[box] == label, 1)  # cc3d raises an error for some masks of few voxels
        if cc3d.connected_components(mask, connectivity=26).max() > 1:
            divided.append(label)
    return divided


class Components(NamedTuple):
    """The connected components of a mask of which one slab is in memory at a time."""

    slabs: list[Slab]
    numbers: list[NDArray[np.int_]]
    """For each slab, the number of the component that each component within the slab belongs to."""
    sizes: NDArray[np.int_]
    """(n + 1,) number of voxels of each component 1..n; 0 is background."""


def find_components(mask: Stack) -> Components:
    """Find the connected components of a mask that need not fit into memory.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or stack of uint8
        Voxels are connected across faces.

    Returns
    -------
    Components

    Examples
    --------
    >>> mask = np.uint8([[[1, 0, 1]], [[1, 0, 0]], [[1, 1, 0]]])
    >>> find_components(mask).sizes
    array([4, 4, 1])
    """
    divided = slabs(mask.shape, max_voxels=SLAB_VOXELS)
    parent = [0]
    offsets, counts = [], []
    last: NDArray[np.int_] | None = None
    for slab in divided:
        components = _label(mask[slab.planes])
        offsets.append(len(parent))
        counts.append(count_voxels(components))
        parent += range(len(parent), len(parent) + len(counts[-1]))
        first = components[0] + np.int64(offsets[-1])
        if last is not None:
            touch = (components[0] > 0) & (last > 0)
            keys = np.unique(last[touch] * len(parent) + first[touch])  # faster than of two rows
            for key in keys.tolist():
                low, high = sorted(_root(parent, each) for each in divmod(key, len(parent)))
                parent[high] = low
        last = np.where(components[-1] > 0, components[-1] + np.int64(offsets[-1]), 0)
    roots = np.array([_root(parent, each) for each in range(len(parent))])
    roots[offsets] = 0  # the background of each slab
    _, numbers = np.unique(roots, return_inverse=True)
    of_slabs = np.split(numbers, offsets)[1:]
    sizes = np.zeros(int(numbers.max(initial=0)) + 1, int)
    for own, count in zip(of_slabs, counts, strict=True):
        np.add.at(sizes, own, count)
    return Components(divided, of_slabs, sizes)


def _label(mask: NDArray[np.uint8]) -> Labels:
    import cc3d

    # cc3d does not accept a read-only view
    labels: Labels = cc3d.connected_components(np.require(mask, requirements="W"), connectivity=6)
    return labels


def _root(parent: list[int], label: int) -> int:
    while parent[label] != label:
        parent[label] = label = parent[parent[label]]
    return label


def keep_large_components(mask: Stack, max_removed: int, allocate: Allocate = np.empty) -> Any:
    """Remove connected components up to a number of voxels.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or stack of uint8
        0 or 1. Voxels are connected across faces.
    max_removed : int
        Number of voxels of the largest component that is removed.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8

    Examples
    --------
    >>> keep_large_components(np.uint8([[[1, 0, 1, 1]]]), 1)
    array([[[0, 0, 1, 1]]], dtype=uint8)
    """
    found = find_components(mask)
    return _select(mask, found, (found.sizes > max_removed).view(np.uint8), allocate)


def keep_components_with(mask: Stack, markers: Stack, allocate: Allocate = np.empty) -> Any:
    """Keep the connected components that contain a marker, of a mask that need not fit into memory.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or stack of uint8
        0 or 1. Voxels are connected across faces.
    markers : (Z, Y, X) ndarray or stack of bool
        Markers outside the mask have no effect.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8
        The same as :func:`keep_marked_components`.

    Examples
    --------
    >>> keep_components_with(np.uint8([[[1, 1, 0, 1]]]), np.array([[[True, False, True, False]]]))
    array([[[1, 1, 0, 0]]], dtype=uint8)
    """
    found = find_components(mask)
    is_kept = np.zeros(len(found.sizes), np.uint8)
    for slab, numbers in zip(found.slabs, found.numbers, strict=True):
        is_kept[numbers[_label(mask[slab.planes])[markers[slab.planes]]]] = 1
    return _select(mask, found, is_kept, allocate)


def _select(mask: Stack, found: Components, is_kept: NDArray[np.uint8], allocate: Allocate) -> Any:
    """Return the components 1..n of a mask that are kept."""
    is_kept[0] = 0
    kept = allocate(mask.shape, np.uint8)
    for slab, numbers in zip(found.slabs, found.numbers, strict=True):
        kept[slab.planes] = relabel(_label(mask[slab.planes]), is_kept[numbers])
    return kept
