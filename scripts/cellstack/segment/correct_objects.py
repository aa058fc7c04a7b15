"""Corrections of objects by hand: merge, split, delete, add, redraw and accept.

A correction refers to positions in um, not to labels, so it is valid for any segmentation of the
stack. If the objects there do not fit the correction, it is not applied, and the reason is given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.config.corrections import ACCEPT, ADD, DELETE, MERGE, REDRAW, SPLIT, Correction
from cellstack.core import filters
from cellstack.core.blobs import BACKGROUND_PERCENTILE, ball_of, values_around
from cellstack.core.boxes import move_box
from cellstack.core.components import keep_marked_components
from cellstack.core.distance import distance_map
from cellstack.core.labels import count_voxels, find_boxes, label_type, relabel, relabel_parts
from cellstack.core.planes import Allocate, ComputedPlanes, Planes, Stack
from cellstack.core.scales import CENTRE_WIDTH
from cellstack.core.topology import fill_cavities
from cellstack.core.types import BoolVolume, Box, Spacing
from cellstack.core.voxels import in_voxels
from cellstack.core.watershed import watershed
from cellstack.segment.outline_threshold import find_thresholds

MAX_MARKER = 0.49  # of the distance to the next point: markers of a split do not meet
MARKER_OF_CELL = 0.1  # radius of the marker of an added cell, in diameters
LIMIT = 0.9  # of the maximum radius of an added nucleus; beyond it, voxels are at the limit
MAX_AT_LIMIT = 0.1  # fraction of its voxels; about 0.2 in noise, and 0.03 for nuclei
REACH_OF_CELL = 0.75  # maximum distance of its wall from its point, in diameters

Place = tuple[int, ...]


class NotPossibleError(Exception):
    """The objects at the points of a correction do not fit it."""


@dataclass
class Outcome:
    """The result of a correction.

    Attributes
    ----------
    reason : str
        Why the correction was not applied; empty if it was.
    labels : list of int
        Labels, in the corrected image, of the objects that the correction made or accepted. Empty
        if a later correction removed them.
    """

    reason: str = ""
    labels: list[int] = field(default_factory=list)


def correct_objects(
    labels: Planes,
    spacing: Spacing,
    corrections: Sequence[Correction],
    images: Iterable[Planes | None],
    options: Mapping[str, float],
    intensities: Stack | None = None,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
) -> tuple[Any, list[Outcome]]:
    """Apply corrections one after another.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of uint16 or uint32
        Labels 1..n; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    corrections : list of Correction
        In the order in which they are applied.
    images : iterable of (K, J, I) ndarray or planes of int, or None
        The label image of each correction that has one. It is requested when it is needed.
    options : dict of str to float
        How objects are added without an image. ``diameter_um`` is their diameter. With ``level``,
        ``sigma_um``, ``background_radius_um`` and ``max_radius_um``, they are bright and get the
        outline of :func:`cellstack.segment.per_object_threshold.mark_blobs`; otherwise they are
        surrounded by bright walls. Empty if no object is added in this way.
    intensities : (Z, Y, X) ndarray or stack of float32, optional
        Denoised intensities in which objects are added.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels into which added objects do not grow.
    allocate : callable
        Provides the labels that are changed. One plane of them, or an object with its surroundings,
        is read at a time.

    Returns
    -------
    corrected : (Z, Y, X) ndarray or stack of uint16 or uint32
        Labels 1..m. Objects keep their order; new ones come last. Those of a stack that is not in
        memory are computed when they are read.
    outcomes : list of Outcome
        One for each correction.

    Notes
    -----
    - merge: the objects that contain the points become one.
    - split: a watershed of the distance to the outline, from a ball around each point.
    - delete, accept: one object; an accepted object is not changed.
    - add: the point must lie in the background. Other objects are not changed.
    - redraw: the objects of the label image replace the object that contains the point. They may
      cover voxels of other objects.

    Examples
    --------
    >>> labels = np.array([[[1, 1, 2, 2, 0, 3]]], np.uint16)
    >>> corrections = [
    ...     {"action": "merge", "points": [[0, 0, 0], [0, 0, 1.5]]},
    ...     {"action": "delete", "points": [[0, 0, 2.0]]},
    ... ]
    >>> corrected, outcomes = correct_objects(labels, (1, 0.5, 0.5), corrections, [None] * 2, {})
    >>> corrected
    array([[[1, 1, 1, 1, 0, 2]]], dtype=uint16)
    >>> outcomes[1].reason
    'no object at 0, 0, 2 um'
    """
    copy = allocate(labels.shape, np.uint32)
    for z, plane in enumerate(labels):
        copy[z] = plane
    work = _Work(copy, spacing, options, intensities, no_data)
    apply: dict[str, Callable[[Correction, Planes | None], list[int]]] = {
        MERGE: work.merge,
        SPLIT: work.split,
        DELETE: work.delete,
        ADD: work.add,
        REDRAW: work.redraw,
        ACCEPT: work.accept,
    }
    outcomes: list[Outcome] = []
    made: list[set[int]] = []  # labels of each correction, kept up to date
    accepted: list[bool] = []
    for correction, image in zip(corrections, images, strict=True):
        work.replaced = {}
        try:
            own = set(apply[correction["action"]](correction, image))
        except NotPossibleError as error:
            outcomes.append(Outcome(str(error)))
            made.append(set())
            accepted.append(False)
            continue
        for earlier, is_accepted in zip(made, accepted, strict=True):
            for old, new in work.replaced.items():
                if old in earlier:
                    earlier.discard(old)
                    if not is_accepted:  # what was accepted has changed
                        earlier |= new
        outcomes.append(Outcome())
        made.append(own)
        accepted.append(correction["action"] == ACCEPT)
    present = count_voxels(work.labels) > 0
    present[0] = False
    count = int(present.sum())
    table = np.where(present, np.cumsum(present), 0).astype(label_type(count))
    for outcome, own in zip(outcomes, made, strict=True):
        outcome.labels = sorted(int(table[label]) for label in own if table[label])
    found = relabel(copy, table) if isinstance(copy, np.ndarray) else relabel_parts(copy, table)
    return found, outcomes


class _Work:
    """The labels while they are corrected.

    The methods for each action return the labels that it made, or raise `NotPossibleError` before
    anything is changed. They record in `replaced` which labels became which. Each object lies in
    its box of `boxes`, so that no correction reads the complete stack.
    """

    def __init__(
        self,
        labels: Any,
        spacing: Spacing,
        options: Mapping[str, float],
        intensities: Stack | None,
        no_data: Stack | None,
    ) -> None:
        self.labels, self.spacing = labels, tuple(float(step) for step in spacing)
        self.options, self.intensities, self.no_data = options, intensities, no_data
        self.boxes = find_boxes(labels)
        self.count = max(self.boxes, default=0)
        self.replaced: dict[int, set[int]] = {}

    def merge(self, correction: Correction, image: Planes | None) -> list[int]:
        found = list(dict.fromkeys(self._objects_at(correction)))
        if len(found) == 1:
            raise NotPossibleError("all points lie in one object")
        for label in found[1:]:
            self._replace(label, found[0])
        self.replaced = {label: {found[0]} for label in found}
        return found[:1]

    def split(self, correction: Correction, image: Planes | None) -> list[int]:
        found = self._objects_at(correction)
        if len(set(found)) > 1:
            raise NotPossibleError(f"the points lie in {len(set(found))} objects, not in one")
        places = [self._place(point) for point in correction["points"]]
        if len(set(places)) < len(places):
            raise NotPossibleError("two points lie in the same voxel")
        box = _widened(self.boxes[found[0]], (1, 1, 1), self.labels.shape)
        inside = self.labels[box] == found[0]
        to_outline = distance_map(inside.view(np.uint8), self.spacing)
        centres = np.array(
            [[at - side.start for at, side in zip(place, box, strict=True)] for place in places]
        )
        um = centres * self.spacing
        apart = np.linalg.norm(um[:, None] - um[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        distances = np.stack([self._distance(inside.shape, centre) for centre in centres])
        markers = np.zeros(inside.shape, np.int32)
        for number, (centre, distance) in enumerate(zip(centres, distances, strict=True), 1):
            radius = min(to_outline[tuple(centre)], MAX_MARKER * apart[number - 1].min())
            markers[inside & (distance <= radius)] = number
        parts = watershed(-to_outline, markers, mask=inside)
        alone = inside & (parts == 0)  # components without a point
        parts[alone] = distances.argmin(axis=0)[alone] + 1
        new = [found[0], *self._new_labels(len(places) - 1)]
        self._write(box, inside, np.array([0, *new], np.uint32)[parts[inside]])
        self.boxes |= dict.fromkeys(new, box)
        self.replaced = {found[0]: set(new)}
        return new

    def delete(self, correction: Correction, image: Planes | None) -> list[int]:
        (label,) = self._objects_at(correction)
        self._replace(label, 0)
        self.replaced = {label: set()}
        return []

    def accept(self, correction: Correction, image: Planes | None) -> list[int]:
        return self._objects_at(correction)

    def add(self, correction: Correction, image: Planes | None) -> list[int]:
        (point,) = correction["points"]
        place = self._place(point)
        if self.labels[place]:
            raise NotPossibleError(f"there is already an object at {_named(point)}")
        if image is not None:
            return self._draw(correction, image)
        box, grown = self._grow(place, correction["diameter_um"])
        (label,) = self._new_labels(1)
        self._write(box, grown, label)
        self.boxes[label] = box
        return [label]

    def redraw(self, correction: Correction, image: Planes | None) -> list[int]:
        (label,) = self._objects_at(correction)
        assert image is not None  # the table is checked before
        return self._draw(correction, image, label)

    def _draw(self, correction: Correction, image: Planes, label: int = 0) -> list[int]:
        """Draw the objects of an image, instead of the object with this label if there is one."""
        position = correction["image_position_um"]
        shape = self.labels.shape
        if position is None and image.shape != shape:
            raise NotPossibleError(
                f"the image has shape {image.shape}, the stack {shape}; give the position of its "
                "first voxel as image_z_um, image_y_um and image_x_um"
            )
        first = self._nearest(position or (0, 0, 0))
        box = tuple(slice(low, low + size) for low, size in zip(first, image.shape, strict=True))
        if any(side.start < 0 or side.stop > size for side, size in zip(box, shape, strict=True)):
            raise NotPossibleError("the image extends beyond the stack")
        drawn = np.unique(np.concatenate([np.unique(plane[plane > 0]) for plane in image]))
        if not len(drawn):
            raise NotPossibleError("the image has no object")
        new = self._new_labels(len(drawn))
        if label:
            new[0] = label  # it keeps its place in the order
            self._replace(label, 0)
            self.replaced = {label: set(new)}
        numbers = ComputedPlanes(
            image.shape,
            np.uint32,
            lambda z: np.where(image[z] > 0, np.searchsorted(drawn, image[z]) + 1, 0),
        )
        table = np.array([0, *new], np.uint32)
        for z, plane in enumerate(numbers, first[0]):
            of_plane = (slice(z, z + 1), *box[1:])
            self._write(of_plane, plane[None] > 0, table[plane[plane > 0]])
        for number, its in find_boxes(numbers).items():
            self.boxes[new[number - 1]] = move_box(its, first)
        return new

    def _replace(self, label: int, new: int) -> None:
        """Replace a label by another one or, if that is 0, remove it."""
        box = self.boxes.pop(label)
        self._write(box, self.labels[box] == label, new)
        if new:
            self.boxes[new] = tuple(
                slice(min(one.start, other.start), max(one.stop, other.stop))
                for one, other in zip(box, self.boxes[new], strict=True)
            )

    def _write(self, box: Box, inside: BoolVolume, labels: int | NDArray[np.uint32]) -> None:
        """Replace the labels of the voxels in a box that are marked."""
        part = self.labels[box]
        part[inside] = labels
        self.labels[box] = part

    def _grow(self, place: Place, given_um: float | None) -> tuple[Box, BoolVolume]:
        """Return a box and the voxels in it of the object at a place of the background.

        A nucleus is cut at the maximum radius if its diameter is given. Otherwise it is refused if
        much of it is there: there is no nucleus, but noise or haze.
        """
        assert self.intensities is not None
        diameter_um = given_um or self.options["diameter_um"]
        scale = diameter_um / self.options["diameter_um"]
        lengths = {
            name: value * scale for name, value in self.options.items() if name.endswith("_um")
        }
        is_bright = "level" in self.options
        reach_um = lengths["max_radius_um"] if is_bright else REACH_OF_CELL * diameter_um
        around_um = max(reach_um, lengths.get("background_radius_um", 0.0))
        margins = [int(length) + 1 for length in in_voxels(around_um, self.spacing)]
        point = tuple(slice(index, index + 1) for index in place)
        box = _widened(point, margins, self.labels.shape)
        centre = tuple(at - side.start for at, side in zip(place, box, strict=True))
        values = self.intensities[box]
        free = self.labels[box] == 0
        has_data = np.ones(free.shape, bool)
        if self.no_data is not None:
            has_data = ~self.no_data[box]
        if not has_data[centre]:
            raise NotPossibleError("there are no data at this point")
        distance = self._distance(free.shape, np.array(centre))
        free &= has_data
        if is_bright:
            smooth = filters.gaussian(
                values, self.spacing, sigma_um=lengths["sigma_um"] * CENTRE_WIDTH
            )
            ball = ball_of(lengths["background_radius_um"], self.spacing)
            around = values_around(smooth, list(centre), ball, has_data)
            background = float(np.percentile(around, BACKGROUND_PERCENTILE))
            reachable = free & (distance <= reach_um)
            (threshold,) = find_thresholds(
                values[reachable],
                np.zeros(np.count_nonzero(reachable), np.int64),
                np.array([background], np.float32),
                np.array([smooth[centre] - background], np.float32),
                self.options["level"],
            )
            bright = (values > threshold) & reachable
            marker = (distance <= lengths["sigma_um"] * CENTRE_WIDTH) & bright
            grown = keep_marked_components(bright, marker)
            grown = fill_cavities(grown, connectivity=6) & free
            at_limit = np.count_nonzero(distance[grown] > LIMIT * reach_um)
            if given_um is None and at_limit > MAX_AT_LIMIT * np.count_nonzero(grown):
                raise NotPossibleError(
                    f"what is brighter than its surroundings there has no outline within "
                    f"{reach_um:.3g} um; give diameter_um to cut the object, or draw it, and give "
                    "its label image in the column image"
                )
        else:
            markers = np.zeros(free.shape, np.int32)
            markers[distance > reach_um] = 2
            markers[distance <= MARKER_OF_CELL * diameter_um] = 1
            markers[centre] = 1
            grown = watershed(values, markers, mask=free) == 1
        if not grown.any():
            raise NotPossibleError(
                "nothing there is brighter than its surroundings; draw the object, and give its "
                "label image in the column image"
            )
        return box, grown

    def _objects_at(self, correction: Correction) -> list[int]:
        """Return the label at each point."""
        found = [int(self.labels[self._place(point)]) for point in correction["points"]]
        missing = [
            _named(point)
            for point, label in zip(correction["points"], found, strict=True)
            if label == 0
        ]
        if missing:
            raise NotPossibleError(f"no object at {' and at '.join(missing)}")
        return found

    def _place(self, point: Sequence[float]) -> Place:
        """Return the voxel with the centre nearest to a point."""
        place = self._nearest(point)
        if any(not 0 <= at < size for at, size in zip(place, self.labels.shape, strict=True)):
            raise NotPossibleError(f"{_named(point)} lies outside the stack")
        return place

    def _nearest(self, point: Sequence[float]) -> Place:
        return tuple(
            int(np.floor(length / step + 0.5))
            for length, step in zip(point, self.spacing, strict=True)
        )

    def _distance(self, shape: tuple[int, ...], centre: NDArray[np.int_]) -> NDArray[np.float64]:
        """Return the distance of each voxel from a voxel in um."""
        offsets = np.ogrid[tuple(slice(0, size) for size in shape)]
        squares = [
            ((along - at) * step) ** 2
            for along, at, step in zip(offsets, centre, self.spacing, strict=True)
        ]
        return np.asarray(np.sqrt(sum(squares)), np.float64)

    def _new_labels(self, count: int) -> list[int]:
        first = self.count + 1
        self.count += count
        return list(range(first, first + count))


def _named(point: Sequence[float]) -> str:
    return f"{', '.join(f'{length:.6g}' for length in point)} um"


def _widened(box: Box, margins: Sequence[int], shape: Sequence[int]) -> Box:
    """Extend a box by a margin along each axis, within the stack."""
    return tuple(
        slice(max(0, side.start - margin), min(size, side.stop + margin))
        for side, margin, size in zip(box, margins, shape, strict=True)
    )
