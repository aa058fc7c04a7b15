"""Measurement of objects: size, shape and position in um, and raw intensities of each channel."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.object_columns import PERCENTILES
from cellstack.core import convex_hull, parallel, topology
from cellstack.core.components import find_divided
from cellstack.core.intensities import exact_sum
from cellstack.core.no_data import labels_beside
from cellstack.core.planes import Planes, Stack
from cellstack.core.surface_area import mesh_surface_area, surface_areas
from cellstack.core.surroundings import measure_contrast
from cellstack.core.types import BoolVolume, Box, Boxes, RawVolume, Spacing
from cellstack.measure.flag_objects import CROWDED_DISTANCE, find_crowded, flag_objects

MEASURED = ("surface", "topology", "hull", "axes", "intensity")  # groups of columns, by default
ON_REQUEST = ("mesh",)  # other groups
UNIT_SPACING = (1.0, 1.0, 1.0)  # for comparison with measurements without spacing
# Objects whose bounding box has at most this number of voxels are measured together, since noise
# above the threshold can produce very many of them.
MAX_BOX_OF_TINY_OBJECT = 64


class _Shape(NamedTuple):
    """Measurements of an object that do not depend on its position."""

    sizes: dict[str, float]
    centre: list[float]  # in voxels from the start of the bounding box
    groups: dict[str, float]  # the columns of the groups that are measured


def measure_objects(
    segmentation: Stack,
    boxes: Boxes,
    segmentation_labels: Mapping[int, int],
    channels: Iterable[tuple[str, Stack]],
    spacing: Spacing,
    *,
    contrast_channel: str,
    groups: Collection[str] = MEASURED,
    seeds: Planes | None = None,
    no_data: Stack | None = None,
    threads: int = 1,
) -> list[dict[str, object]]:
    """Measure and flag each object.

    Stacks may be arrays, or files of which the boxes of objects are read one after the other.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects, measured or not; 0 is background.
    boxes : dict of int to tuple of slice
        The bounding box of each object to measure, see :func:`cellstack.core.labels.find_boxes`.
    segmentation_labels : dict of int to int
        For each label in `boxes` the label of the same object in `segmentation`.
    channels : iterable of (str, (Z, Y, X) ndarray or stack)
        Name and raw intensities of each channel.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    contrast_channel : str
        Name of the channel whose contrast is flagged. It may be absent.
    groups : collection of str
        The groups of columns to measure, see :data:`cellstack.config.object_columns.GROUPS`. Groups
        other than :data:`MEASURED` and :data:`ON_REQUEST` are ignored.
    seeds : (Z, Y, X) ndarray or planes of unsigned int, optional
        Seeds of the objects.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data. They are not background, and objects that touch them are flagged.
    threads : int
        Number of objects measured in parallel. The result does not depend on it.

    Returns
    -------
    list of dict
        One for each object, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys. See also :func:`cellstack.measure.flag_objects.flag_objects`.
    """
    label_of = {segmentation_labels[label]: label for label in boxes}
    objects = {number: boxes[label] for number, label in label_of.items()}
    shapes = measure_shapes(segmentation, objects, spacing, threads, groups)
    for shape, (number, label) in zip(shapes, label_of.items(), strict=True):
        shape |= {"label": label, "segmentation_label": number}
    rows: list[dict[str, object]] = [{**shape} for shape in shapes]
    contrast = heights = None
    for channel, raw in channels:
        if "intensity" in groups:
            intensities = measure_intensities(segmentation, objects, raw, spacing, channel, threads)
            for row, measured in zip(rows, intensities, strict=True):
                row.update(measured)
        if channel == contrast_channel:
            contrast, heights = measure_contrast(
                segmentation, objects, raw, spacing, threads, no_data
            )
    crowded: set[int] = set()
    if shapes and seeds is not None:
        diameter = float(np.median([shape["equivalent_diameter_um"] for shape in shapes]))
        crowded = find_crowded(seeds, segmentation, spacing, CROWDED_DISTANCE * diameter)
    beside = () if no_data is None else labels_beside(segmentation, no_data).tolist()
    if contrast is not None:
        for row, ratio in zip(rows, contrast.tolist(), strict=True):
            row["contrast_to_noise_ratio"] = ratio if math.isfinite(ratio) else None
    divided = find_divided(segmentation, objects)
    flags = flag_objects(
        shapes,
        contrast,
        crowded,
        len(segmentation) == 1,
        [label_of[number] for number in beside if number in label_of],
        heights,
        [label_of[number] for number in divided],
    )
    for row, own in zip(rows, flags, strict=True):
        row["flags"] = own
    return rows


def join_table(
    rows: Sequence[Mapping[str, object]],
    table: Iterable[Mapping[str, object]],
    columns: Collection[str],
) -> list[dict[str, object]]:
    """Add the columns and the flags of another table of the same objects.

    Parameters
    ----------
    rows : list of dict
        Measured objects, with ``segmentation_label`` and ``flags``.
    table : iterable of dict
        Rows with ``segmentation_label``, in any order, and optionally ``flags``. Those of other
        objects are ignored.
    columns : collection of str
        The columns of `table` to add; they are empty for objects without a row.

    Returns
    -------
    list of dict
        The rows with the columns and the flags of both.

    Examples
    --------
    >>> rows = [{"segmentation_label": 1, "flags": "low contrast"}]
    >>> pairs = [{"segmentation_label": "1", "nuclei_count": "0", "flags": "no nucleus"}]
    >>> join_table(rows, pairs, ["nuclei_count"])
    [{'segmentation_label': 1, 'flags': 'low contrast;no nucleus', 'nuclei_count': '0'}]
    """
    others = {int(str(other["segmentation_label"])): other for other in table}
    joined = []
    for row in rows:
        other = others.get(cast(int, row["segmentation_label"]), {})
        flags = ";".join(str(each["flags"]) for each in (row, other) if each.get("flags"))
        added = {name: other.get(name) for name in columns}
        joined.append({**row, "flags": flags, **added})
    return joined


def join_corrections(
    rows: Sequence[Mapping[str, object]], corrections: Iterable[Mapping[str, str]]
) -> list[dict[str, object]]:
    """Add the corrections of each object, and remove the flags of those that were accepted.

    Parameters
    ----------
    rows : list of dict
        Measured objects, with ``flags``.
    corrections : iterable of dict
        The rows of corrections.csv, see :data:`cellstack.config.columns.CORRECTION_COLUMNS`.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> row = {"segmentation_label": 2, "flags": "low contrast"}
    >>> join_corrections([row], [{"action": "accept", "segmentation_labels": "1;2"}])
    [{'segmentation_label': 2, 'flags': '', 'corrections': 'accept'}]
    """
    from cellstack.config.corrections import ACCEPT  # imports the settings and the sheet

    actions: dict[int, list[str]] = {}
    for correction in corrections:
        for label in filter(None, correction["segmentation_labels"].split(";")):
            actions.setdefault(int(label), []).append(correction["action"])
    joined = []
    for row in rows:
        own = actions.get(cast(int, row["segmentation_label"]), [])
        flags = "" if ACCEPT in own else row["flags"]
        joined.append({**row, "flags": flags, "corrections": ";".join(own)})
    return joined


def measure_shapes(
    labels: Stack,
    boxes: Boxes,
    spacing: Spacing,
    threads: int = 1,
    groups: Collection[str] = MEASURED,
) -> list[dict[str, float]]:
    """Measure size, shape and position of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes, see :func:`cellstack.core.labels.find_boxes`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Number of objects measured in parallel. The result does not depend on it.
    groups : collection of str
        The groups of columns to measure; without them only position, volume and what follows from
        it.

    Returns
    -------
    list of dict
        One for each object, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys.

    Examples
    --------
    >>> from cellstack.core.labels import find_boxes
    >>> labels = np.zeros((3, 4, 5), np.uint16)
    >>> labels[1, 1:3, 1:4] = 1
    >>> (row,) = measure_shapes(labels, find_boxes(labels), (2.0, 0.5, 0.5))
    >>> row["volume_voxels"], row["volume_um3"], row["centroid_z_um"]
    (6, 3.0, 2.0)
    """
    steps = tuple(float(step) for step in spacing)
    known: dict[tuple[tuple[int, ...], bytes], _Shape] = {}  # many tiny objects have the same shape

    def measure(item: tuple[int, Box]) -> dict[str, float]:
        label, box = item
        mask = labels[box] == label
        if mask.size > MAX_BOX_OF_TINY_OBJECT:
            shape = _measure_shape(mask, steps, groups)
        else:
            key = (mask.shape, mask.tobytes())
            if key not in known:
                known[key] = _measure_shape(mask, steps, groups)
            shape = known[key]
        position = _measure_position(box, shape.centre, labels.shape, steps)
        return {"label": label} | shape.sizes | position | shape.groups

    return parallel.map_processes(measure, list(boxes.items()), threads)


def _measure_shape(mask: BoolVolume, spacing: Spacing, groups: Collection[str]) -> _Shape:
    count = int(np.count_nonzero(mask))
    voxel = float(np.prod(spacing))
    volume = count * voxel
    centre, moments = _second_moments(mask, count)
    diameter = math.cbrt(6 * volume / math.pi)
    sizes = {
        "volume_voxels": count,
        "volume_um3": volume,
        "equivalent_diameter_um": diameter,
        "extent": count / mask.size,
    }
    measured: dict[str, float] = {}
    if "surface" in groups:
        area, area_unit_spacing = surface_areas(mask, (spacing, UNIT_SPACING))
        measured |= {
            "surface_area_um2": area,
            "surface_area_unit_spacing": area_unit_spacing,
            "sphericity": math.pi * diameter**2 / area,
        }
    if "mesh" in groups:
        measured |= {
            "mesh_area_um2": mesh_surface_area(mask, spacing),
            "mesh_area_outer_um2": mesh_surface_area(mask, spacing, level=0),
            "mesh_area_outer_unit_spacing": mesh_surface_area(mask, UNIT_SPACING, level=0),
        }
    if "topology" in groups:
        measured |= {
            "filled_volume_um3": topology.filled_count(mask) * voxel,
            "euler_number": topology.euler_number(mask),
        }
    if "hull" in groups:
        hull = convex_hull.convex_hull(mask)
        convex = convex_hull.count_voxels(hull, mask.shape)
        measured |= {
            "convex_volume_um3": convex * voxel,
            "solidity": count / convex,
            "feret_diameter_max_um": convex_hull.feret_diameter_max(hull, spacing),
        }
    if "axes" in groups:
        measured |= _axes(moments * np.outer(spacing, spacing))
    return _Shape(sizes, centre, measured)


def _measure_position(
    box: Box, centre: list[float], shape: tuple[int, ...], spacing: Spacing
) -> dict[str, float]:
    row: dict[str, float] = {}
    for axis, side, middle, step in zip("zyx", box, centre, spacing, strict=True):
        row[f"centroid_{axis}_um"] = float((side.start + middle) * step)
    row |= {f"bbox_min_{axis}": side.start for axis, side in zip("zyx", box, strict=True)}
    row |= {f"bbox_max_{axis}": side.stop for axis, side in zip("zyx", box, strict=True)}
    for name, side, length in zip(("plane", "row", "column"), box, shape, strict=True):
        row[f"touches_first_{name}"] = int(side.start == 0)
        row[f"touches_last_{name}"] = int(side.stop == length)
    return row


def _axes(moments: NDArray[np.float64]) -> dict[str, float]:
    """Return axes and moments of inertia of the ellipsoid with these second moments, in um2."""
    variances, directions = np.linalg.eigh(moments)  # in ascending order
    variances = variances.clip(0)  # rounding can make a variance of 0 negative
    names = ("minor", "middle", "major")
    row: dict[str, float] = {}
    for i in (2, 1, 0):  # the variance of an ellipsoid along a semi-axis a is a ** 2 / 5
        row[f"axis_{names[i]}_length_um"] = float(np.sqrt(20 * variances[i]))
    for i in (2, 1, 0):
        # The sign is arbitrary: make the largest component positive.
        largest = np.abs(directions[:, i]).argmax()
        direction = directions[:, i] * np.sign(directions[largest, i])
        for axis, part in zip("zyx", direction, strict=True):
            row[f"direction_{names[i]}_{axis}"] = float(part)
    for i in (2, 1, 0):
        row[f"inertia_{names[i]}_um2"] = float(variances.sum() - variances[i])
    return row


def _second_moments(mask: BoolVolume, count: int) -> tuple[list[float], NDArray[np.float64]]:
    """Return the mean and the covariance matrix of the voxel positions, in voxels.

    They are computed from the projections along each axis, which are exact counts.
    """
    projections = {
        kept: mask.sum(axis=summed) for kept, summed in (((1, 2), 0), ((0, 2), 1), ((0, 1), 2))
    }
    profiles = (
        projections[0, 1].sum(axis=1),
        projections[0, 1].sum(axis=0),
        projections[0, 2].sum(axis=0),
    )
    centre, offsets, variances = [], [], []
    for profile in profiles:
        middle = float((profile * np.arange(len(profile))).sum()) / count
        offset = np.arange(len(profile)) - middle
        centre.append(middle)
        offsets.append(offset)
        variances.append(float((profile * offset**2).sum()) / count)
    moments = np.diag(variances)
    for (i, j), projection in projections.items():
        product = float((projection * np.outer(offsets[i], offsets[j])).sum())
        moments[i, j] = moments[j, i] = product / count
    return centre, moments


def measure_intensities(
    labels: Stack,
    boxes: Boxes,
    raw: Stack,
    spacing: Spacing,
    channel: str,
    threads: int = 1,
) -> list[dict[str, float | None]]:
    """Measure the raw intensities of one channel in each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of uint16 or uint32
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes, see :func:`cellstack.core.labels.find_boxes`.
    raw : (Z, Y, X) ndarray or stack of integer or float
        Raw intensities of the channel.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    channel : str
        Name of the channel in the keys.
    threads : int
        Number of objects measured in parallel. The result does not depend on it.

    Returns
    -------
    list of dict
        One for each object, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys. Sums of integers are exact, other sums float64. A weighted centroid is
        None if the sum of the intensities is not positive.

    Examples
    --------
    >>> from cellstack.core.labels import find_boxes
    >>> labels = np.uint16([[[0, 1, 1, 0]]])
    >>> raw = np.uint8([[[9, 10, 30, 9]]])
    >>> (row,) = measure_intensities(labels, find_boxes(labels), raw, (1, 1, 1), "nuclei")
    >>> row["mean_intensity_nuclei"], row["centroid_weighted_nuclei_x_um"]
    (20.0, 1.75)
    """
    tiny = [
        label
        for label, box in boxes.items()
        if math.prod(side.stop - side.start for side in box) <= MAX_BOX_OF_TINY_OBJECT
    ]
    rows = _measure_tiny_objects(labels, tiny, raw, spacing, channel)

    def measure(label: int) -> dict[str, float | None]:
        box = boxes[label]
        return _measure_intensity(raw[box], labels[box] == label, box, spacing, channel)

    others = [label for label in boxes if label not in rows]
    rows |= dict(zip(others, parallel.map_processes(measure, others, threads), strict=True))
    return [rows[label] for label in boxes]


def _measure_tiny_objects(
    labels: Planes, selected: Sequence[int], raw: Planes, spacing: Spacing, channel: str
) -> dict[int, dict[str, float | None]]:
    """Return the same as :func:`_measure_intensity` for many objects of a few voxels."""
    if not selected:
        return {}
    is_selected = np.zeros(max(selected) + 2, bool)  # the last one is for all higher labels
    is_selected[selected] = True
    each_place, each_label, each_value = [], [], []
    for z, (plane, values) in enumerate(zip(labels, raw, strict=True)):
        within = np.flatnonzero(is_selected.take(plane, mode="clip"))
        each_place.append(within + z * plane.size)
        each_label.append(plane.ravel()[within])
        each_value.append(values.ravel()[within])
    places, intensities = np.concatenate(each_place), np.concatenate(each_value)
    names, index, counts = np.unique(
        np.concatenate(each_label), return_inverse=True, return_counts=True
    )
    by_label = np.argsort(index, kind="stable")
    starts = np.cumsum(counts) - counts
    found: dict[int, dict[str, float | None]] = {}
    for count in np.unique(counts):
        same = np.flatnonzero(counts == count)
        rows_of = by_label[starts[same, None] + np.arange(count)]  # a row for each object
        voxels, values = places[rows_of], intensities[rows_of]
        totals = values.sum(axis=1, dtype=np.int64 if values.dtype.kind in "iu" else np.float64)
        median, *percentiles = np.percentile(values, (50, *PERCENTILES), axis=1)
        columns = {
            f"mean_intensity_{channel}": totals / count,
            f"sd_intensity_{channel}": (
                values.std(axis=1, ddof=1, dtype=np.float64)
                if count > 1
                else np.full(len(values), np.nan)
            ),
            f"median_intensity_{channel}": median,
            f"min_intensity_{channel}": values.min(axis=1),
            f"max_intensity_{channel}": values.max(axis=1),
            f"sum_intensity_{channel}": totals,
        }
        for percent, value in zip(PERCENTILES, percentiles, strict=True):
            columns[f"p{percent}_intensity_{channel}"] = value
        weights = values / np.where(totals > 0, totals, np.nan)[:, None]
        coordinates = np.unravel_index(voxels, raw.shape)
        for axis, along, step in zip("zyx", coordinates, spacing, strict=True):
            columns[f"centroid_weighted_{channel}_{axis}_um"] = (weights * along).sum(axis=1) * step
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        for label, row in zip(names[same].tolist(), rows, strict=True):
            cells = dict(zip(columns, row, strict=True))
            found[label] = {name: None if cell != cell else cell for name, cell in cells.items()}
    return found


def _measure_intensity(
    raw: RawVolume, mask: BoolVolume, box: Box, spacing: Spacing, channel: str
) -> dict[str, float | None]:
    values = raw[mask]
    total = exact_sum(values)
    median, *percentiles = np.percentile(values, (50, *PERCENTILES)).tolist()
    row: dict[str, float | None] = {
        f"mean_intensity_{channel}": total / len(values),
        f"sd_intensity_{channel}": (
            float(values.std(ddof=1, dtype=np.float64)) if len(values) > 1 else None
        ),
        f"median_intensity_{channel}": median,
        f"min_intensity_{channel}": values.min().item(),
        f"max_intensity_{channel}": values.max().item(),
        f"sum_intensity_{channel}": total,
    }
    for percent, value in zip(PERCENTILES, percentiles, strict=True):
        row[f"p{percent}_intensity_{channel}"] = value
    for axis, position in _weighted_centroid(raw, mask, box, spacing):
        row[f"centroid_weighted_{channel}_{axis}_um"] = position
    return row


def _weighted_centroid(
    raw: RawVolume, mask: BoolVolume, box: Box, spacing: Spacing
) -> Iterator[tuple[str, float | None]]:
    """Yield each axis and the mean position along it in um, weighted by intensity, or None."""
    weights = np.where(mask, raw, 0)
    for i, (axis, side, step) in enumerate(zip("zyx", box, spacing, strict=True)):
        profile = weights.sum(axis=tuple({0, 1, 2} - {i}), dtype=np.float64)
        total = profile.sum()
        position = None
        if total > 0:
            position = float((profile * np.arange(side.start, side.stop)).sum() / total * step)
        yield axis, position
