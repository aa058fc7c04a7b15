"""Connected components of masks."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.disjoint_sets import DisjointSets
from cellstack.core.labels import count_voxels, relabel
from cellstack.core.planes import Allocate, Slab, Stack, slabs
from cellstack.core.types import BoolVolume, Boxes, Labels, Scalar

SLAB_VOXELS = 1 << 22  # of a mask that is labelled in slabs
MIN_PART = 0.05  # of the voxels of an object; smaller parts are fragments


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
        Voxels of one part are connected across faces, edges or corners. Parts with less than 5 % of
        the voxels of the object are ignored.

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
        parts = cc3d.connected_components(mask, connectivity=26)
        if parts.max() > 1:
            sizes = np.bincount(parts.ravel())[1:]
            if np.count_nonzero(sizes >= MIN_PART * sizes.sum()) > 1:
                divided.append(label)
    return divided


class Components(NamedTuple):
    """The connected components of a mask that is labelled in slabs."""

    slabs: list[Slab]
    numbers: list[NDArray[np.int_]]
    """For each slab, the number of the component that each component within the slab belongs to."""
    sizes: NDArray[np.int_]
    """(n + 1,) number of voxels of each component 1..n; 0 is background."""
    at_voxels: NDArray[np.int_]
    """Number of the component at each of the voxels that were asked for."""


def find_components(mask: Stack, voxels: NDArray[np.int_] | None = None) -> Components:
    """Find the connected components of a mask that need not fit into memory.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or stack of uint8 or bool
        Voxels are connected across faces.
    voxels : (m, 3) ndarray of int, optional
        Voxels whose components are asked for.

    Returns
    -------
    Components

    Examples
    --------
    >>> mask = np.uint8([[[1, 0, 1]], [[1, 0, 0]], [[1, 1, 0]]])
    >>> find_components(mask).sizes
    array([4, 4, 1])
    >>> find_components(mask, np.array([[2, 0, 1], [0, 0, 2]])).at_voxels
    array([1, 2])
    """
    z, y, x = np.empty((3, 0), int) if voxels is None else voxels.T
    at_voxels = np.zeros(len(z), int)
    divided = slabs(mask.shape, max_voxels=SLAB_VOXELS)
    sets = DisjointSets(1)
    offsets, counts = [], []
    last: Labels | None = None
    for slab in divided:
        components = _label(mask[slab.planes])
        offsets.append(len(sets))
        counts.append(count_voxels(components))
        sets.add(len(counts[-1]))
        if last is not None:
            for low, high in _touching(last, components[0]):
                sets.join(low + offsets[-2], high + offsets[-1])
        last = components[-1]
        inside = np.flatnonzero((z >= slab.planes.start) & (z < slab.planes.stop))
        within = components[z[inside] - slab.planes.start, y[inside], x[inside]]
        at_voxels[inside] = offsets[-1] + within.astype(int)
    lowest = sets.lowest()
    lowest[offsets] = 0  # the background of each slab
    _, numbers = np.unique(lowest, return_inverse=True)
    of_slabs = np.split(numbers, offsets)[1:]
    sizes = np.zeros(int(numbers.max(initial=0)) + 1, int)
    for own, count in zip(of_slabs, counts, strict=True):
        np.add.at(sizes, own, count)
    return Components(divided, of_slabs, sizes, numbers[at_voxels])


def _touching(above: Labels, below: Labels) -> list[tuple[int, int]]:
    """Return the pairs of labels in two planes that touch each other."""
    first, second = above.ravel(), below.ravel()
    is_new = np.ones(len(first), bool)  # most pixels have the labels of the pixel before
    is_new[1:] = first[1:] != first[:-1]
    is_new[1:] |= second[1:] != second[:-1]
    runs = np.flatnonzero(is_new)
    first, second = first[runs], second[runs]
    both = (first > 0) & (second > 0)
    return list(set(zip(first[both].tolist(), second[both].tolist(), strict=True)))


def _label(mask: NDArray[np.uint8] | BoolVolume) -> Labels:
    import cc3d  # some stages that import this module do not use it

    # cc3d does not accept a read-only view
    labels: Labels = cc3d.connected_components(np.require(mask, requirements="W"), connectivity=6)
    return labels


def _keep(mask: Stack, found: Components, is_kept: NDArray[Scalar], kept: Any) -> Any:
    """Return `kept` with the voxels of the components that are kept."""
    is_kept[0] = 0
    for slab, numbers in zip(found.slabs, found.numbers, strict=True):
        part = mask[slab.planes]
        if not is_kept[numbers[1:]].all():
            part = relabel(_label(part), is_kept[numbers])
        kept[slab.planes] = part
    return kept


def keep_components_at(
    mask: BoolVolume, voxels: NDArray[np.int_], out: BoolVolume | None = None
) -> BoolVolume:
    """Keep the connected components of a mask that contain one of some voxels.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        Voxels are connected across faces.
    voxels : (n, 3) ndarray of int
        Voxels outside the mask have no effect.
    out : (Z, Y, X) ndarray of bool, optional
        For the result; it may be `mask` itself.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        Or `out`.

    Examples
    --------
    >>> mask = np.array([[[True, True, False, True]]])
    >>> keep_components_at(mask, np.array([[0, 0, 0], [0, 0, 2]]))
    array([[[ True,  True, False, False]]])
    """
    found = find_components(mask, voxels)
    is_kept = np.zeros(len(found.sizes), bool)
    is_kept[found.at_voxels] = True
    kept = np.empty(mask.shape, bool) if out is None else out
    return cast(BoolVolume, _keep(mask, found, is_kept, kept))


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
    is_kept = (found.sizes > max_removed).view(np.uint8)
    return _keep(mask, found, is_kept, allocate(mask.shape, np.uint8))


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
    return _keep(mask, found, is_kept, allocate(mask.shape, np.uint8))


def number_groups(
    voxels: NDArray[np.int_], labels: NDArray[np.integer[Any]], shape: Sequence[int]
) -> NDArray[np.int_]:
    """Number the groups of neighbouring voxels with the same label, where voxels are few.

    Parameters
    ----------
    voxels : (n,) ndarray of int
        Indices of the voxels in the flat stack, in ascending order.
    labels : (n,) ndarray of int
        The label of each voxel.
    shape : (3,) sequence of int
        Shape of the stack.

    Returns
    -------
    (n,) ndarray of int
        Group 1..m of each voxel, in the order of their first voxels. Voxels of a group are
        connected across faces, edges or corners.

    Notes
    -----
    The same as `cc3d.connected_components` with ``connectivity=26``, which looks at all voxels of
    the stack.

    Examples
    --------
    >>> number_groups(np.array([0, 1, 3, 8]), np.array([5, 5, 5, 2]), (2, 2, 4))
    array([1, 1, 2, 3])
    """
    z, y, x = np.unravel_index(voxels, shape)
    _, height, width = (length + 2 for length in shape)  # no neighbours beyond the faces
    keys = (z * height + y) * width + x
    group = np.arange(len(keys))
    offsets = np.moveaxis(np.indices((2, 3, 3)) - np.reshape((0, 1, 1), (3, 1, 1, 1)), 0, -1)
    steps = offsets.reshape(-1, 3) @ (height * width, width, 1)
    for step in steps[steps > 0].tolist():
        following = np.searchsorted(keys, keys + step)
        following[following == len(keys)] = 0
        first = np.flatnonzero((keys[following] == keys + step) & (labels[following] == labels))
        second = following[first]
        while not np.array_equal(group[first], group[second]):
            low, high = np.sort([group[first], group[second]], axis=0)
            np.minimum.at(group, high, low)
            while not np.array_equal(group, group[group]):
                group = group[group]
    return np.unique(group, return_inverse=True)[1] + 1
