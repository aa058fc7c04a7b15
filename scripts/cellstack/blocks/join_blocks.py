"""Objects of overlapping blocks, joined to those of the complete stack.

An object belongs to the block whose core holds its reference point: the first voxel, in the order
z, y, x, of its seeds. This is also the order in which objects are numbered.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.cut_block import Block, Ranges, is_in, slices_of, within
from cellstack.core.boxes import move_box
from cellstack.core.labels import find_boxes, label_type
from cellstack.core.planes import ComputedPlanes, Planes
from cellstack.core.types import BoolVolume, Labels

MAX_TAKEN = 0.5  # of an object that is not the same as one of another block
MIN_MISSING = 0.1  # of an object in a block: more is not a matter of its outline
SEAM = 0.25  # of the overlap: beside a core, where a block sees all that determines an object


class Objects(NamedTuple):
    """The objects of a block.

    Attributes
    ----------
    labels : (n,) ndarray of int
        Their labels in the block.
    references : (n, 3) ndarray of int
        Voxel of the complete stack that decides which block an object belongs to.
    boxes : (n, 3, 2) ndarray of int
        First voxel in the block, and the one after the last, along z, y and x.
    """

    labels: NDArray[np.int_]
    references: NDArray[np.int_]
    boxes: NDArray[np.int_]


class Joined(NamedTuple):
    """The labels of a joined stack, and a record of how its blocks were joined.

    Attributes
    ----------
    numbers : (m + 1,) ndarray of uint16 or uint32
        Label in the complete stack of each number in which objects were pasted; 0 for none.
    record : dict of str to int
        ``objects``; ``at_seams``, those that extend beyond the core of their block; and how often
        blocks disagreed: ``doubled`` objects that two blocks own, of which one is left out,
        ``lost`` objects that no block owns, which are added, as are parts of objects that are too
        large for the block that owns them, ``moved`` objects whose reference point differs, and
        ``contested_voxels`` of two objects.
    """

    numbers: Labels
    record: dict[str, int]


def find_objects(
    segmentation: Labels, merged: Labels, seeds: Labels, first: Sequence[int]
) -> Objects:
    """Find the reference point of each object of a block.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray of uint16 or uint32
        Objects with smooth outlines.
    merged : (Z, Y, X) ndarray of uint16 or uint32
        Objects before smoothing, with other labels.
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Seeds, one or more in each object before smoothing.
    first : (3,) sequence of int
        First voxel of the block.

    Returns
    -------
    Objects
        In the order of their labels.

    Examples
    --------
    >>> seeds = np.uint16([[[0, 1, 0, 0, 2, 0]]])
    >>> merged = np.uint16([[[1, 1, 0, 2, 2, 2]]])
    >>> found = find_objects(np.uint16([[[0, 0, 0, 1, 1, 1]]]), merged, seeds, (0, 0, 10))
    >>> found.labels, found.references
    (array([1]), array([[ 0,  0, 14]]))
    """
    places = np.flatnonzero(seeds)
    of_seeds = merged.ravel()[places]
    unsmoothed, index = np.unique(of_seeds, return_index=True)
    reference = np.zeros(int(merged.max(initial=0)) + 1, int)
    reference[unsmoothed] = places[index]
    # Objects do not grow into each other, so any common voxel shows which object this was.
    boxes = find_boxes(segmentation)
    labels = np.array(list(boxes), int)
    before = np.zeros(int(segmentation.max(initial=0)) + 1, int)
    smoothed = segmentation.ravel()[places]
    before[smoothed] = of_seeds
    for label in labels[before[labels] == 0].tolist():
        own = merged[boxes[label]][segmentation[boxes[label]] == label]
        before[label] = own.max(initial=0)
    voxels = np.unravel_index(reference[before[labels]], seeds.shape)
    references = np.stack(voxels, axis=1) + np.asarray(first)
    ends = [[(side.start, side.stop) for side in box] for box in boxes.values()]
    return Objects(labels, references, np.array(ends, int).reshape(-1, 3, 2))


def beside_core(core: Ranges, extent: Ranges) -> list[tuple[int, int]]:
    """Return the core and a part of the overlap, in which a block sees complete objects.

    Examples
    --------
    >>> beside_core([(8, 20)], [(0, 24)])
    [(6, 21)]
    """
    return [
        (start - int(SEAM * (start - first)), stop + int(SEAM * (last - stop)))
        for (start, stop), (first, last) in zip(core, extent, strict=True)
    ]


def join_blocks(
    pasted: NDArray[np.uint32],
    blocks: Sequence[Block],
    read_objects: Callable[[int], Objects],
    read_labels: Callable[[int], Labels],
) -> Joined:
    """Paste the objects of all blocks into one stack.

    Parameters
    ----------
    pasted : (Z, Y, X) ndarray of uint32
        All 0. It may be memory-mapped: only the part of one block is used at a time.
    blocks : sequence of dict
        ``core`` and ``extent`` of each block.
    read_objects : callable
        Takes the index of a block and returns its objects.
    read_labels : callable
        Takes the index of a block and returns its labels.

    Returns
    -------
    Joined
        `numbers` converts the values in `pasted` to labels, which are in the order of the
        reference points.
    """
    found = [read_objects(index) for index in range(len(blocks))]
    owned = [
        is_in(objects.references, block["core"])
        for objects, block in zip(found, blocks, strict=True)
    ]
    pasting = _Pasting(pasted)

    def paste(selected: Sequence[NDArray[np.bool_]], *, is_owned: bool) -> None:
        for index, is_selected in enumerate(selected):
            if is_selected.any():
                labels = read_labels(index)
                pasting.paste(labels, blocks[index], found[index], is_selected, is_owned=is_owned)

    paste(owned, is_owned=True)
    known = pasting.known()
    unowned = [
        is_in(objects.references, beside_core(block["core"], block["extent"]))
        & ~is_owned
        & ~_is_known(objects, known)
        for objects, block, is_owned in zip(found, blocks, owned, strict=True)
    ]
    paste(unowned, is_owned=False)
    known = pasting.known()
    for index, (block, objects) in enumerate(zip(blocks, found, strict=True)):
        in_core = _boxes_in_core(objects, block)
        is_missing = (in_core[:, :, 0] < in_core[:, :, 1]).all(axis=1) & ~_is_known(objects, known)
        if is_missing.any():
            pasting.add_missing(read_labels(index), block, objects, is_missing, in_core)
    return pasting.joined()


class _Pasting:
    """Objects of blocks, pasted one after the other, and how often the blocks disagreed.

    Parameters
    ----------
    pasted : (Z, Y, X) ndarray of uint32
        All 0. It gets the number of each object, counted from 1.
    """

    def __init__(self, pasted: NDArray[np.uint32]) -> None:
        self._pasted = pasted
        self._references: list[NDArray[np.int_]] = []
        self._counts = dict.fromkeys(
            ("at_seams", "doubled", "lost", "moved", "contested_voxels"), 0
        )

    def known(self) -> set[tuple[int, ...]]:
        """Return the reference points of the objects so far."""
        return {tuple(each) for each in self._points().tolist()}

    def paste(
        self,
        labels: Labels,
        block: Block,
        objects: Objects,
        is_selected: NDArray[np.bool_],
        *,
        is_owned: bool,
    ) -> None:
        """Paste the selected objects of a block, without the voxels of objects pasted before."""
        start = [first for first, _ in block["extent"]]
        core = within(block["core"], block["extent"])
        boxes = find_boxes(labels)
        for label, reference in zip(
            objects.labels[is_selected].tolist(), objects.references[is_selected], strict=True
        ):
            box = boxes[label]
            target = self._pasted[move_box(box, start)]
            mask = labels[box] == label
            taken = mask & (target > 0)
            count, contested = int(np.count_nonzero(mask)), int(np.count_nonzero(taken))
            if contested > MAX_TAKEN * count:
                self._counts["doubled" if is_owned else "moved"] += 1
                continue
            self._counts["lost"] += not is_owned
            self._counts["contested_voxels"] += contested
            self._counts["at_seams"] += any(
                side.start < inner.start or side.stop > inner.stop
                for side, inner in zip(box, core, strict=True)
            )
            self._add(target, mask & ~taken, reference)

    def add_missing(
        self,
        labels: Labels,
        block: Block,
        objects: Objects,
        is_missing: NDArray[np.bool_],
        in_core: NDArray[np.int_],
    ) -> None:
        """Add the parts of objects in the core of a block that no other object has taken.

        Parts of less than :data:`MIN_MISSING` of an object are left out.
        """
        start = [first for first, _ in block["extent"]]
        for number in np.flatnonzero(is_missing).tolist():
            label = objects.labels[number]
            box, part = (slices_of(each[number].tolist()) for each in (objects.boxes, in_core))
            target = self._pasted[move_box(part, start)]
            missing = (labels[part] == label) & (target == 0)
            if np.count_nonzero(missing) > MIN_MISSING * np.count_nonzero(labels[box] == label):
                self._counts["lost"] += 1
                place = np.argwhere(missing)[0] + start + [side.start for side in part]
                self._add(target, missing, place)

    def joined(self) -> Joined:
        """Return the labels of the numbers, in the order of the reference points."""
        points = self._points()
        order = np.lexsort(points.T[::-1])
        numbers = np.zeros(len(points) + 1, label_type(len(points)))
        numbers[order + 1] = np.arange(1, len(points) + 1)
        return Joined(numbers, {"objects": len(points), **self._counts})

    def _points(self) -> NDArray[np.int_]:
        return np.array(self._references, int).reshape(-1, 3)

    def _add(
        self, target: NDArray[np.uint32], voxels: BoolVolume, reference: NDArray[np.int_]
    ) -> None:
        self._references.append(reference)
        np.copyto(target, np.uint32(len(self._references)), where=voxels)


def _is_known(objects: Objects, known: Container[tuple[int, ...]]) -> NDArray[np.bool_]:
    """Return whether the reference point of each object is that of a known one."""
    return np.array([tuple(each) in known for each in objects.references.tolist()], bool)


def _boxes_in_core(objects: Objects, block: Block) -> NDArray[np.int_]:
    """Return the part of the box of each object that lies in the core of its block."""
    core = np.array([(side.start, side.stop) for side in within(**block)])
    first = np.maximum(objects.boxes[:, :, 0], core[:, 0])
    return np.stack([first, np.minimum(objects.boxes[:, :, 1], core[:, 1])], axis=2)


def numbered_planes(pasted: Planes, numbers: Labels) -> ComputedPlanes:
    """Return the labels of a joined stack, plane by plane.

    Examples
    --------
    >>> planes = numbered_planes(np.uint32([[[0, 2, 1]]]), np.uint16([0, 2, 1]))
    >>> planes[0]
    array([[0, 1, 2]], dtype=uint16)
    """
    return ComputedPlanes(pasted.shape, numbers.dtype, lambda z: numbers[pasted[z]])


def seeds_in_core(
    seeds: Labels, core: Ranges, extent: Ranges
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the seeds whose first voxel lies in the core of a block.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.

    Returns
    -------
    voxels : (n, 3) ndarray of int
        Voxels of these seeds in the complete stack.
    labels : (n,) ndarray of int
        The seed of each voxel, in the order of their first voxels.

    Examples
    --------
    >>> seeds = np.uint16([[[1, 0, 2, 2, 0, 3]]])
    >>> seeds_in_core(seeds, [(0, 1), (0, 1), (1, 3)], [(0, 1), (0, 1), (0, 6)])
    (array([[0, 0, 2],
           [0, 0, 3]]), array([0, 0]))
    """
    places = np.flatnonzero(seeds)
    voxels = np.stack(np.unravel_index(places, seeds.shape), axis=1)
    voxels += np.array([start for start, _ in extent])
    _, first, index = np.unique(seeds.ravel()[places], return_index=True, return_inverse=True)
    is_own = is_in(voxels[first], core)
    kept = is_own[index]
    return voxels[kept], (np.cumsum(is_own) - 1)[index[kept]]


def planes_of_seeds(
    seeds: Sequence[tuple[NDArray[np.int_], NDArray[np.int_]]], shape: tuple[int, ...]
) -> tuple[ComputedPlanes, int]:
    """Return the seeds of a stack, plane by plane, and their number.

    Parameters
    ----------
    seeds : sequence of (ndarray, ndarray)
        Those of each block, see :func:`seeds_in_core`.
    shape : tuple of int
        Shape of the stack.

    Returns
    -------
    planes : ComputedPlanes
        Of uint16 or uint32. Seeds are numbered in the order of their first voxels.
    count : int

    Examples
    --------
    >>> one, two = ((np.array([[0, 0, x]]), np.array([0])) for x in (3, 1))
    >>> planes, count = planes_of_seeds([one, two], (1, 1, 4))
    >>> planes[0], count
    (array([[0, 1, 0, 2]], dtype=uint16), 2)
    """
    voxels = np.concatenate([each for each, _ in seeds])
    sizes = np.cumsum([0, *(int(own.max(initial=-1)) + 1 for _, own in seeds)])
    owners = np.concatenate([own + size for (_, own), size in zip(seeds, sizes, strict=False)])
    order = np.lexsort(voxels.T[::-1])
    voxels, owners = voxels[order], owners[order]
    count = int(sizes[-1])
    _, first = np.unique(owners, return_index=True)
    rank = np.empty(count, label_type(count))
    rank[np.argsort(first)] = np.arange(1, count + 1)
    ends = np.searchsorted(voxels[:, 0], np.arange(shape[0] + 1))

    def plane(z: int) -> NDArray[Any]:
        drawn = np.zeros(shape[1:], rank.dtype)
        here = slice(ends[z], ends[z + 1])
        drawn[voxels[here, 1], voxels[here, 2]] = rank[owners[here]]
        return drawn

    return ComputedPlanes(shape, rank.dtype, plane), count


def join_thresholds(
    records: Sequence[dict[str, Any]], chosen: dict[str, Any] | None, joined: dict[str, int]
) -> dict[str, Any]:
    """Return the record of the threshold of a stack, from those of its blocks.

    Parameters
    ----------
    records : sequence of dict
        See ``scripts/binarize.py``.
    chosen : dict or None
        See :func:`cellstack.blocks.choose_blobs.choose_from_blocks`; None if objects do not have
        separate thresholds.
    joined : dict
        Record of :class:`Joined`.

    Returns
    -------
    dict
        The same as for an uncut stack, and ``seam_disagreements``, the number of objects that two
        blocks or no block owned.
    """
    of_cores = [record["core"] for record in records]
    foreground, voxels = (
        sum(core[name] for core in of_cores) for name in ("foreground_voxels", "voxels")
    )
    found = {name: records[0][name] for name in ("method", "factor", "threshold")}
    found["foreground_fraction"] = foreground / voxels
    if chosen is not None:
        from cellstack.segment.per_object_threshold import typical_haze

        haze = np.array([ratio for core in of_cores for ratio in core["haze_ratios"]], np.float32)
        found |= {name: chosen[name] for name in ("dropped_dim", "brightness_ratio")}
        found["haze_ratio"] = typical_haze(haze)
        found["hollow"] = sum(core["hollow"] for core in of_cores)
    return found | {"seam_disagreements": joined["doubled"] + joined["lost"]}
