"""Every quantity of every table of a run, computed a second time with other code.

The expected values come from the images that the test draws and from the label images of the run,
by plain NumPy, SciPy and scikit-image, at a voxel size that differs along z, y and x. The test
fails if a table has a column that is not computed here.
"""

import csv
import json
import math
from collections import Counter
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
import tifffile
from scipy import ndimage, stats
from scipy.optimize import linear_sum_assignment
from scipy.spatial import SphericalVoronoi, cKDTree
from scipy.spatial.distance import cdist, pdist
from skimage import measure, metrics, morphology
from study import Study, simulated

from cellstack.config.columns import is_result
from cellstack.config.object_columns import COLUMNS, GROUPS, NEIGHBORS, PAIR_COLUMNS
from cellstack.evaluate.score_columns import TABLES
from cellstack.files.stacks import read_stack, write_stack
from cellstack.measure.measure_objects import MEASURED

pytestmark = pytest.mark.slow

SPACING = (1.3, 0.5, 0.35)
VOXEL = math.prod(SPACING)
SHAPE = (14, 60, 72)
DIAMETER_UM = 8.0  # of nuclei; that of cells is 1.4 times as large
WALLS = {"min_wall_strength": 0.85, "min_contact_fraction": 0.5}
NEAREST, RADIUS = 3, 1.1  # number, and radius relative to the diameter, of neighbours
EXCLUDED = ("last_column", "first_plane")
VOLUMES = (0.1, 0.8)  # smallest and largest one, relative to a ball of the diameter
CHANNELS = ("nuclei", "membrane", "marker")  # of the drawn stack, in the order of the sheet
KINDS = {"drawn": ("nuclei", "cells"), "grown": ("nuclei",), "none": ("nuclei",)}
SEVERAL_SEEDS = {  # settings that find several seeds in a nucleus, and measure all objects
    "find_seeds": {"smoothing_um": 0, "method": "peaks", "peaks": {"min_distance_um": 1}},
    "merge_objects": {"method": "none"},
    "select_objects": {"exclude_touching_faces": [], "max_volume_um3": None},
}
BLOCK = (7, 20, 24)  # voxels of the space of a cell; there are 2 x 3 x 3
SLOPE_Y, SLOPE_Z = 0.35, 0.25  # of the contact of the first two cells, which is oblique
ONE, OTHER = 1, 2
WEAK_WALLS = {(4, 5): 0, (6, 15): 0.3, (16, 17): 0}  # brightness of the walls of these cells
GRID = np.indices(SHAPE)
Z, Y, X = (index * step for index, step in zip(GRID, SPACING, strict=True))


def centre_of(block):
    """Return the centre of a block in um from the centre of the first voxel."""
    sides = zip(block, BLOCK, SPACING, strict=True)
    return np.array([((place + 0.5) * size - 0.5) * step for place, size, step in sides])


def blocks():
    """Return number and place of each block."""
    return enumerate(product(range(2), range(3), range(3)), 1)


def draw_nuclei():
    """Return labels of nuclei: turned ellipsoids, and some with a cavity, a hole or a corner."""
    rng = np.random.default_rng(4)
    # in um: seven are moved to the faces of the stack, and 7 into the cell of 8
    shift = {3: (0, -3, 0), 4: (-3, 0, 0), 9: (0, 0, 4), 10: (0, 0, -3), 12: (0, 0, 3.3)}
    shift |= {16: (1.5, 0, 0), 17: (0, 3, 0), 7: (0, 0, 5.0)}
    scale = {5: 1.55, 6: 0.73, 7: 0.45, 14: 1.42}
    labels = np.zeros(SHAPE, np.uint16)
    for label, block in blocks():
        semi_axes = np.array([3.0, 2.6, 2.2]) * rng.uniform(0.97, 1.03, 3) * scale.get(label, 1)
        centre = centre_of(block) + shift.get(label, 0)
        radius = ellipsoid(centre, semi_axes, *rng.uniform(0, 3, 2))
        labels[radius + rng.normal(0, 0.03, SHAPE) < 1] = label  # rough, so not quite convex
    for label, boxes in {
        8: [(1, (2, 5), (45, 55), (30, 42)), (0, (3, 4), (48, 52), (34, 38))],  # a cavity
        15: [(1, (9, 12), (24, 36), (53, 66)), (0, (9, 12), (27, 33), (57, 62))],  # a hole
        18: [(1, (9, 12), (42, 54), (51, 56)), (1, (9, 12), (42, 45), (51, 60))],  # an L
        19: [(1, (9, 11), (43, 48), (30, 41))],  # a second nucleus in the cell of 17
    }.items():
        labels[labels == label] = 0
        for is_inside, *box in boxes:
            labels[tuple(slice(*side) for side in box)] = label * is_inside
    return labels


def ellipsoid(centre, semi_axes, about_z, about_y):
    """Return the distance to a centre, relative to the surface of a turned ellipsoid."""
    points = np.stack([axis - at for axis, at in zip((Z, Y, X), centre, strict=True)], axis=-1)
    cos, sin = np.cos([about_z, about_y]), np.sin([about_z, about_y])
    points = points @ np.array([[1, 0, 0], [0, cos[0], -sin[0]], [0, sin[0], cos[0]]])
    points = points @ np.array([[cos[1], 0, sin[1]], [0, 1, 0], [-sin[1], 0, cos[1]]])
    return np.linalg.norm(points / semi_axes, axis=-1)


def draw_cells():
    """Return labels of cells: balls cut by the faces of their blocks, so that contacts are flat.

    The plane between the first two is oblique.
    """
    labels = np.zeros(SHAPE, np.uint16)
    for label, block in blocks():
        offsets = zip((Z, Y, X), centre_of(block), strict=True)
        distance = np.sqrt(sum((axis - at) ** 2 for axis, at in offsets))
        places = zip(GRID, BLOCK, block, strict=True)
        inside = np.all([index // size == at for index, size, at in places], axis=0)
        # half of them do not touch the first and the last plane
        inside &= (label % 2 == 0) | ((GRID[0] > 0) & (GRID[0] < SHAPE[0] - 1))
        labels[inside & (distance < 4.7 + 0.1 * (label % 6))] = label
    middle = centre_of((0, 0, 0))
    plane = (BLOCK[2] - 0.5) * SPACING[2] + SLOPE_Y * (Y - middle[1]) + SLOPE_Z * (Z - middle[0])
    box = np.s_[: BLOCK[0], : BLOCK[1], : 2 * BLOCK[2]]
    labels[box] = np.where(plane > X, ONE, OTHER)[box]
    labels[labels == 11] = 0  # its nucleus is in no cell
    labels[labels == 18] = 11
    return labels


def draw_ground_truth(nuclei):
    """Return a ground truth of nuclei, from which they differ by errors of each kind."""
    moved = ndimage.shift(nuclei, (0, 1, 1), order=0)
    moved[moved == 2] = 0  # spurious
    moved[(moved == 6) | (moved == 15)] = 15  # split
    moved[(moved == 5) & (GRID[2] > 35)] = 20  # merged
    moved[moved == 13] = 0
    moved[(ndimage.shift(nuclei, (1, 3, 4), order=0) == 13) & (moved == 0)] = 13  # low IoU
    moved[11:14, 2:8, 26:32] = 21  # missed
    return np.unique(moved, return_inverse=True)[1].reshape(SHAPE).astype(np.uint16)


def draw_images(nuclei, cells):
    """Return the image of each channel, in which no two objects have the same intensities."""
    rng = np.random.default_rng(5)
    bright = np.array([100, *(400 + 37 * label % 300 for label in range(1, 20))])
    bright[17] = 101  # of low contrast
    image = bright[nuclei] + 4 * GRID[0] + GRID[1] + 2 * GRID[2] + rng.normal(0, 12, SHAPE)
    # a bright rim, nearer than 0.05 diameters, which is not part of the background around it
    image[(nuclei == 0) & (ndimage.distance_transform_edt(nuclei != 14, SPACING) < 0.36)] += 3000
    walls = np.zeros(SHAPE)
    for axis in range(3):
        along, wall = np.moveaxis(cells, axis, 0), np.moveaxis(walls, axis, 0)
        pairs = np.stack([along[:-1], along[1:]])
        strength = 1.0 * (pairs[0] != pairs[1])
        for pair, share in WEAK_WALLS.items():
            strength[np.isin(pairs, pair).all(axis=0)] *= share
        wall[:-1], wall[1:] = np.maximum(wall[:-1], strength), np.maximum(wall[1:], strength)
    walls = ndimage.gaussian_filter(walls, np.divide(0.35, SPACING))
    membrane = 20 + 160 * walls + GRID[2] / 3 + rng.normal(0, 3, SHAPE)
    marker = rng.normal(3, 1, SHAPE) + (X - Y) / 9
    marker[nuclei == 8] = 0  # without a weighted centroid
    images = image.astype(np.uint16), membrane.clip(0, 255).astype(np.uint8), marker
    return dict(zip(CHANNELS, (*images[:2], marker.astype(np.float32)), strict=True))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished run: drawn objects, nuclei that the workflow finds, and a stack without any."""
    study = Study(tmp_path_factory.mktemp("quantities"))
    folder, nuclei = study.folder, draw_nuclei()
    cells = draw_cells()
    study.images = draw_images(nuclei, cells)
    by_hand = {
        "nuclei-labels": nuclei,
        "cells-labels": cells,
        "nuclei-truth": draw_ground_truth(nuclei),
        "cells-truth": ndimage.shift(cells, (0, 2, -3), order=0),
        "no-labels": np.zeros(SHAPE, np.uint16),
    }
    for name, labels in by_hand.items():
        write_stack(folder / f"{name}.tif", labels, (1, 1, 1))
    # the nuclei have no voxel size along y, the membrane along z, the marker none at all
    for channel, known in zip(CHANNELS, ("zx", "yx", ""), strict=True):
        sizes = {}
        for axis in known:
            sizes[f"PhysicalSize{axis.upper()}"] = SPACING["zyx".index(axis)]
            sizes[f"PhysicalSize{axis.upper()}Unit"] = "µm"
        image, metadata = study.images[channel], {"axes": "ZYX"} | sizes
        tifffile.imwrite(folder / f"{channel}.ome.tif", image, ome=True, metadata=metadata)
        given = {f"{axis}_um": SPACING["zyx".index(axis)] for axis in "zyx" if axis not in known}
        cells_of_row = {"image": f"{channel}.ome.tif"} | given
        if channel != "marker":
            kind = "nuclei" if channel == "nuclei" else "cells"
            cells_of_row |= {"labels": f"{kind}-labels.tif", "ground_truth": f"{kind}-truth.tif"}
        study.add("drawn", channel, **cells_of_row, condition="control", mouse="m-7")
    colony = simulated(SHAPE, SPACING, count=6)
    study.images["grown"] = colony.nuclei_image
    write_stack(folder / "grown.tif", colony.nuclei_image, SPACING)
    write_stack(folder / "grown-truth.tif", colony.nuclei_labels, SPACING)
    grown = {"preset": "several", "diameter_um": "auto", "ground_truth": "grown-truth.tif"}
    study.add("grown", image="grown.tif", **grown, condition="drug")
    study.add("none", image="nuclei.ome.tif", y_um=SPACING[1], labels="no-labels.tif")
    largest, smallest = (f"{share} v" for share in VOLUMES[::-1])
    study.config |= {
        "presets": {"several": SEVERAL_SEEDS},
        # the square root would bring weak walls, which this test needs, closer to the others
        "enhance_membrane": {"square_root": False},
        "merge_cells": WALLS,
        "measure_objects": {"columns": [*MEASURED, *NEIGHBORS]},
        "measure_neighbors": {"radius_um": "1.1 d", "nearest_count": NEAREST},
        "select_objects": {
            "exclude_touching_faces": list(EXCLUDED),
            "min_volume_um3": smallest,
            "max_volume_um3": largest,
        },
    }
    targets = ("objects", "stacks", "columns", "scores", "neighbors")
    process = study.run(*(f"results/{name}.csv" for name in targets), cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    study.tables = {
        str(path.relative_to(study.result())): read_csv(path)
        for path in study.result().rglob("*.csv")
    }
    return study


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def labels_of(study, stack, kind, name="segmentation.tif"):
    return read_stack(study.result(stack, kind, name))[0].astype(int)


def rows_of(study, name, /, **cells):
    """Return the rows of a table that have the given cells."""
    return [row for row in study.tables[name] if cells.items() <= row.items()]


def assert_row(row, expected):
    """Assert that a row has the expected columns, no other ones, and the expected values."""
    assert row.keys() == expected.keys()
    for column, value in expected.items():
        if value is None or isinstance(value, str):
            assert row[column] == (value or ""), column
        elif isinstance(value, set):
            assert int(row[column]) in value, column
        else:
            # directions are components of unit vectors; sums over 13 directions are approximate
            rel = 0.02 if "surface_area" in column or column == "sphericity" else 1e-7
            rel = 0.02 if column == "local_density_per_mm3" else rel  # voxels are counted
            assert float(row[column]) == pytest.approx(value, rel=rel, abs=1e-8), column


# --- objects.csv ---


def shape_columns(mask):
    """Return the columns of an object that follow from its mask in the stack."""
    where = np.argwhere(mask)
    first, last = where.min(axis=0), where.max(axis=0) + 1
    points = where * SPACING
    volume = len(where) * VOXEL
    box = mask[tuple(map(slice, first, last))]
    filled = ndimage.binary_fill_holes(mask, np.ones((3, 3, 3)))
    convex = morphology.convex_hull_image(box, offset_coordinates=False).sum()
    halves = np.concatenate([np.diag(SPACING), -np.diag(SPACING)]) / 2
    on_faces = np.concatenate([surface_of(mask) * SPACING + half for half in halves])
    area, unit_area = crofton(mask, SPACING), crofton(mask, (1, 1, 1))
    variances, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    columns = {
        "volume_voxels": len(where),
        "volume_um3": volume,
        "filled_volume_um3": filled.sum() * VOXEL,
        "convex_volume_um3": convex * VOXEL,
        "equivalent_diameter_um": 2 * (volume / (4 / 3 * np.pi)) ** (1 / 3),
        "feret_diameter_max_um": pdist(on_faces).max(),
        "surface_area_um2": area,
        "surface_area_unit_spacing": unit_area,
        "sphericity": np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / area,
        "solidity": len(where) / convex,
        "extent": len(where) / box.size,
        "euler_number": measure.euler_number(box, 3),
    }
    for place, axis in enumerate("zyx"):
        columns[f"centroid_{axis}_um"] = points[:, place].mean()
        columns[f"bbox_min_{axis}"], columns[f"bbox_max_{axis}"] = first[place], last[place]
    for face, is_touched in touched_faces(mask).items():
        columns[f"touches_{face.replace(' ', '_')}"] = int(is_touched)
    for place, name in enumerate(("minor", "middle", "major")):
        vector = vectors[:, place] * np.sign(vectors[np.abs(vectors[:, place]).argmax(), place])
        # the variance of a ball of radius r along an axis is r ** 2 / 5
        columns[f"axis_{name}_length_um"] = 2 * np.sqrt(5 * variances[place])
        columns |= {f"direction_{name}_{axis}": vector[i] for i, axis in enumerate("zyx")}
        columns[f"inertia_{name}_um2"] = np.delete(variances, place).sum()
    return columns


def touched_faces(mask):
    touched = {}
    for axis, side in enumerate(("plane", "row", "column")):
        along = np.moveaxis(mask, axis, 0)
        touched |= {f"first {side}": along[0].any(), f"last {side}": along[-1].any()}
    return touched


def surface_of(mask):
    """Return the voxels that have a neighbour outside of a mask; faces of the stack are outside."""
    return np.argwhere(mask & ~ndimage.binary_erosion(mask))


def crofton(mask, spacing):
    """Return the surface area from the lengths of chords in 13 directions.

    The directions are the axes of a cube, rounded to steps of whole voxels, and count as much as
    the part of the sphere around them. The part of the voxels that leave the object by a step of
    length s is 1.5 q - 0.5 q ** 3 with q = s / C for an ellipsoid with chords of up to C. Its
    surface area is 6 V times the mean of 1 / C.
    """
    axes = np.array([axis for axis in product((-1, 0, 1), repeat=3) if any(axis)])
    longest = np.abs(axes * spacing).max(axis=1, keepdims=True)
    steps = axes * np.floor(longest / spacing + 0.5).astype(int)
    lengths = np.linalg.norm(steps * spacing, axis=1)
    shares = SphericalVoronoi(steps * spacing / lengths[:, None]).calculate_areas() / (4 * np.pi)
    where = np.argwhere(mask)
    padded = np.pad(mask, np.abs(steps).max(axis=0).repeat(2).reshape(3, 2))
    start = np.abs(steps).max(axis=0)
    inverse_chord = 0
    for step, length, share in zip(steps, lengths, shares, strict=True):
        leaving = 1 - padded[tuple((where + start + step).T)].mean()
        roots = np.roots([-0.5, 0, 1.5, -leaving])
        q = min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > -1e-9)
        inverse_chord += share * q / length
    return 6 * len(where) * math.prod(spacing) * inverse_chord


def intensity_columns(mask, raw, channel):
    """Return the columns of one channel of an object."""
    values = np.sort(raw[mask].astype(float))
    places = np.argwhere(mask) * SPACING
    total = math.fsum(values)
    columns = {
        f"mean_intensity_{channel}": total / len(values),
        f"sd_intensity_{channel}": np.sqrt(
            ((values - values.mean()) ** 2).sum() / (len(values) - 1)
        ),
        f"min_intensity_{channel}": values[0],
        f"max_intensity_{channel}": values[-1],
        f"sum_intensity_{channel}": total,
    }
    for name, percent in (("median", 50), *((f"p{p}", p) for p in (5, 25, 75, 95))):
        rank = percent / 100 * (len(values) - 1)
        columns[f"{name}_intensity_{channel}"] = np.interp(rank, np.arange(len(values)), values)
    for i, axis in enumerate("zyx"):
        centre = (places[:, i] * raw[mask]).sum() / total if total > 0 else None
        columns[f"centroid_weighted_{channel}_{axis}_um"] = centre
    return columns


def expected_flags(study, stack, kind, masks, rows):
    """Return the flags of the objects of a stack, apart from those of nuclei in cells."""
    volumes = np.array([row["volume_voxels"] for row in rows])
    solidities = np.array([row["solidity"] for row in rows])
    touched = [[face for face, is_cut in touched_faces(mask).items() if is_cut] for mask in masks]
    complete = np.array([not faces for faces in touched])
    if complete.sum() < 5:
        complete[:] = True

    def deviations(values, least):
        spread = stats.median_abs_deviation(values[complete], scale="normal")
        limit = max(3.5 * spread, least) if spread else np.inf
        return (values - np.median(values[complete])) / limit

    sizes, shapes = deviations(np.log(volumes), np.log(2)), deviations(solidities, 0.1)
    lengths = np.array([row["axis_major_length_um"] for row in rows])
    diameters = [row["equivalent_diameter_um"] for row in rows]
    crowded = crowded_objects(study, stack, kind, np.median(diameters))
    raw = image_of(study, stack, "nuclei")
    segmentation = labels_of(study, stack, kind)
    flags = []
    for i, (mask, row) in enumerate(zip(masks, rows, strict=True)):
        found = [f"touches {face}" for face in touched[i]]
        distance = ndimage.distance_transform_edt(~mask, SPACING) / diameters[i]
        is_near = (segmentation == 0) & (distance > 0.05) & (distance <= 0.2)
        around = raw[is_near].astype(float)
        contrast = raw[mask].mean() - around.mean() if is_near.any() else np.inf
        noise = around.std(ddof=1) if kind == "nuclei" and len(around) >= 20 else 0
        row["contrast_to_noise_ratio"] = contrast / noise if noise else None
        possible = {
            "small for its stack": sizes[i] < -1,
            "large for its stack": sizes[i] > 1,
            "long for its stack": lengths[i] > 1.4 * np.median(lengths[complete]) and len(rows) > 4,
            "irregular for its stack": shapes[i] < -1,
            "seeds close together": row["segmentation_label"] in crowded,
            # the channel of the cells is the membrane, which is dark inside of them
            "low contrast": kind == "nuclei" and is_near.sum() >= 20 and contrast < around.std(),
        }
        flags.append(found + [flag for flag, is_set in possible.items() if is_set])
    return flags


def crowded_objects(study, stack, kind, diameter):
    """Return the objects with a seed nearer than half of the diameter to that of another."""
    file = study.result(stack, kind, "seeds.tif")
    if stack != "grown":
        return set()
    seeds = read_stack(file)[0].astype(int)
    numbers = range(1, seeds.max() + 1)
    places = np.array([np.argwhere(seeds == each).mean(axis=0) * SPACING for each in numbers])
    labels = labels_of(study, stack, kind)
    owners = np.array([labels[seeds == each][0] for each in numbers])
    near = (cdist(places, places) < diameter / 2) & (owners[:, None] != owners)
    close = np.isin(seeds, 1 + np.flatnonzero(near.any(axis=1)))
    return set(labels[close].tolist())


def image_of(study, stack, channel):
    """Return the image that the test wrote for a channel."""
    return study.images[channel if stack == "drawn" else {"none": "nuclei"}.get(stack, stack)]


def objects_of(study, stack, kind):
    """Return the mask of each measured object, and its expected row without the sheet's columns."""
    labels = labels_of(study, stack, kind, "labels.ome.tif")
    segmentation = labels_of(study, stack, kind)
    masks = [labels == label for label in range(1, labels.max() + 1)]
    rows = []
    for label, mask in enumerate(masks, 1):
        row = {"stack": stack, "object": kind, "label": label} | shape_columns(mask)
        (row["segmentation_label"],) = np.unique(segmentation[mask])
        for channel in CHANNELS if stack == "drawn" else ("nuclei",):
            row |= intensity_columns(mask, image_of(study, stack, channel), channel)
        rows.append(row)
    neighbors = neighbor_columns(study, stack, kind)[1] if rows else {}
    for row in rows:
        row |= neighbors[row["segmentation_label"]]
    flags = expected_flags(study, stack, kind, masks, rows) if rows else []
    if kind == "cells":
        for mask, row, found in zip(masks, rows, flags, strict=True):
            pair = pair_columns(study, mask)
            row |= pair
            found += pair_flags(study, row["segmentation_label"], pair["nuclei_count"])
    for row, found in zip(rows, flags, strict=True):
        row |= {"flags": ";".join(found), "corrections": None}
    return masks, rows


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_objects(study, stack, kind):
    _, expected = objects_of(study, stack, kind)
    table = rows_of(study, f"{stack}/{kind}/objects.csv")
    assert len(table) == len(expected)
    assert bool(expected) == (stack != "none")
    for row, values in zip(table, expected, strict=True):
        assert_row(row, values)
    collected = rows_of(study, "objects.csv", stack=stack, object=kind)
    from_sheet = {
        "condition": {"drawn": "control", "grown": "drug"}.get(stack, ""),
        "mouse": "m-7" if stack == "drawn" else "",
    }
    for row, own in zip(collected, table, strict=True):
        # a column of another stack or kind of object is empty
        assert row == dict.fromkeys(row, "") | own | from_sheet


def test_the_dictionary_of_columns_is_that_of_the_table(study):
    def fill_in(columns):
        return [c.replace("<channel>", channel) for c in columns for channel in CHANNELS]

    names = {*fill_in(COLUMNS), *fill_in(PAIR_COLUMNS), "condition", "mouse"}
    for group in (*MEASURED, *NEIGHBORS):
        names |= {*fill_in(GROUPS[group])}
    assert study.tables["objects.csv"][0].keys() == names
    described = study.tables["columns.csv"]
    for table in ("objects.csv", "stacks.csv", "checks.csv", "statistics.csv", "neighbors.csv"):
        listed = [row["column"] for row in described if row["table"] == table]
        assert sorted(listed) == sorted(study.tables[table][0])
    for row in described:
        unit = row["column"].rpartition("_")[2]
        assert row["definition"]
        assert not unit.startswith("um") or row["unit"] == unit
        assert "_intensity_" not in row["column"] or row["unit"] == "raw value"
    # the sheet cannot have a column with the name of one of these
    from_sheet = {"condition", "mouse", "diameter_um"}
    for table in ("objects.csv", "stacks.csv", "checks.csv"):
        assert {name for name in study.tables[table][0] if not is_result(name)} <= from_sheet
    for table, columns in TABLES.items():
        assert list(study.tables[table][0]) == list(columns)
        listed = [row["column"] for row in rows_of(study, "columns.csv", table=table)]
        assert listed == list(columns)


def test_the_drawn_objects_have_every_flag_and_reason(study):
    """Otherwise the other tests would compare empty cells."""
    tables = study.tables
    flags = " ".join(row["flags"] for row in tables["objects.csv"])
    for part in (
        *("touches first row", "touches last row", "touches first column", "touches last plane"),
        *("small", "large", "irregular", "seeds close", "low contrast"),
        *("no nucleus", "2 nuclei", "no wall to"),
    ):
        assert part in flags, part
    reasons = {row["reason"] for row in tables["drawn/nuclei/selection.csv"]}
    assert len(reasons) == 5
    euler = {int(row["euler_number"]) for row in tables["objects.csv"]}
    assert {0, 1, 2} <= euler
    (rimmed,) = rows_of(study, "drawn/nuclei/objects.csv", segmentation_label="14")
    assert 0.05 * float(rimmed["equivalent_diameter_um"]) > 0.36
    assert "low contrast" not in rimmed["flags"]
    scores = rows_of(study, "stack_scores.csv", stack="drawn", object="nuclei")[0]
    for kind in ("split", "merged", "missed", "spurious", "low_iou"):
        assert scores[f"count_{kind}"] != "0", kind


# --- selection.csv ---


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_selection(study, stack, kind):
    segmentation = labels_of(study, stack, kind)
    diameter = diameter_of(study, stack, kind)
    smallest, largest = (share * np.pi / 6 * diameter**3 for share in VOLUMES)
    table, label = study.tables[f"{stack}/{kind}/selection.csv"], 0
    assert len(table) == segmentation.max()
    for found, row in enumerate(table, 1):
        mask = segmentation == found
        touched = touched_faces(mask)
        volume, reason = mask.sum() * VOXEL, "kept"
        if volume < smallest:
            reason = "below size range"
        if stack != "grown":  # its preset excludes no other objects
            reason = "above size range" if volume > largest else reason
            reason = "top or bottom face" if touched["first plane"] else reason
            reason = "lateral face" if touched["last column"] else reason
        label += reason == "kept"
        own = label if reason == "kept" else 0
        expected = {"segmentation_label": found, "label": own, "volume_um3": volume}
        counted = not (touched["first row"] or touched["first column"])
        assert_row(row, expected | {"reason": reason, "counted": int(counted)})


def diameter_of(study, stack, kind):
    """Return the diameter that the sizes of a stack are derived from."""
    if stack == "grown":
        return json.loads(study.result(stack, kind, "diameter.json").read_text())["diameter_um"]
    return DIAMETER_UM * (1.4 if kind == "cells" else 1)


def density_of(study, stack, kind):
    """Return the number of objects per mm3 that touch neither the first row nor column."""
    labels = labels_of(study, stack, kind)
    inside = set(np.unique(labels)) - {0} - set(labels[:, 0].flat) - set(labels[:, :, 0].flat)
    # the frame begins after the first row and column
    return len(inside) / (labels[:, 1:, 1:].size * VOXEL) * 1e9


def haze_of(study, stack):
    """Return the haze of a stack, which tests of the threshold compare with known images."""
    return json.loads(study.result(stack, "nuclei", "threshold.json").read_text())["haze_ratio"]


# --- neighbors.csv and neighborhood.csv ---


def gap_between(first, second):
    """Return the minimum distance between the voxels of two masks, as boxes."""
    if (first & second).any():
        return 0.0
    voxels, others = surface_of(first), surface_of(second)
    steps = np.maximum(0, np.abs(voxels[:, None] - others) - 1)
    return np.sqrt(((steps * SPACING) ** 2).sum(axis=-1)).min()


def areas_of_contacts(labels):
    """Return the area of each contact, also of that with the background, tile by tile."""
    side = max(5 * min(SPACING), 2 * max(SPACING))
    tile = np.maximum(1, np.rint(np.divide(side, SPACING))).astype(int)
    vectors = {}
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        for place in np.argwhere(along[1:] != along[:-1]):
            voxel = np.insert(place[1:], axis, place[0])
            ends = int(labels[tuple(voxel)]), int(labels[tuple(voxel + np.eye(3, dtype=int)[axis])])
            vector = vectors.setdefault((*sorted(ends), *(voxel // tile)), np.zeros(3))
            vector[axis] += np.sign(ends[1] - ends[0]) * VOXEL / SPACING[axis]
    areas = Counter()
    for (one, other, *_), vector in vectors.items():
        areas[one, other] += float(np.linalg.norm(vector))
    return areas


@cache
def neighbor_columns(study, stack, kind):
    """Return the expected rows of pairs of neighbours, and the columns of each object."""
    labels = labels_of(study, stack, kind)
    selected = labels_of(study, stack, kind, "labels.ome.tif")
    radius = RADIUS * diameter_of(study, stack, kind)
    names = [int(label) for label in np.unique(labels[labels > 0])]
    masks = {label: labels == label for label in names}
    centres = {label: np.argwhere(masks[label]).mean(axis=0) * SPACING for label in names}
    areas = areas_of_contacts(labels)
    gaps = {pair: gap_between(*(masks[label] for label in pair)) for pair in combinations(names, 2)}
    pairs, columns = set(), {}
    for label in names:
        others = sorted(set(names) - {label}, key=lambda x: math.dist(centres[x], centres[label]))
        apart = [math.dist(centres[x], centres[label]) for x in others]
        to_others = {x: gaps[min(x, label), max(x, label)] for x in others}
        within = [x for x, distance in zip(others, apart, strict=True) if distance <= radius]
        touching = [x for x in others if (min(x, label), max(x, label)) in areas]
        nearest = [] if 0 in to_others.values() else [min(to_others, key=to_others.get)]
        listed = {*within, *touching, *others[:NEAREST], *nearest}
        pairs |= {(min(x, label), max(x, label)) for x in listed}
        contact = sum(areas[min(x, label), max(x, label)] for x in touching)
        to_faces = [
            min(centre + step / 2, (size - 0.5) * step - centre)
            for centre, step, size in zip(centres[label], SPACING, SHAPE, strict=True)
        ]
        columns[label] = {
            "nearest_centroid_distance_um": apart[0],
            "nearest_surface_distance_um": min(to_others.values()),
            "mean_nearest_centroid_distance_um": (
                np.mean(apart[:NEAREST]) if len(apart) >= NEAREST else None
            ),
            "neighbor_count": len(within),
            "touching_count": len(touching),
            "contact_fraction": contact / (contact + areas[0, label]),
            "local_density_per_mm3": len(within) / ball_in_stack(centres[label], radius) * 1e9,
            "edge_distance_um": min(to_faces),
            "nearest_incomplete": int(min(to_faces) < apart[0]),
            "neighborhood_incomplete": int(min(to_faces) < radius),
            **nearest_of_other_kind(study, stack, kind, masks[label]),
        }
    rows = {
        (one, other): {
            "stack": stack,
            "object": kind,
            "segmentation_label_1": one,
            "segmentation_label_2": other,
            "label_1": selected[masks[one]].max(),
            "label_2": selected[masks[other]].max(),
            "centroid_distance_um": math.dist(centres[one], centres[other]),
            "surface_distance_um": gaps[one, other],
            "contact_area_um2": areas.get((one, other), 0),
            "touching": int((one, other) in areas),
            "within_radius": int(math.dist(centres[one], centres[other]) <= radius),
        }
        for one, other in sorted(pairs)
    }
    return rows, columns


def ball_in_stack(centre, radius):
    """Return the volume of a ball in the stack, by parts of voxels."""
    parts = 4
    places = [
        ((np.arange(size * parts) + 0.5) / parts - 0.5) * step
        for size, step in zip(SHAPE, SPACING, strict=True)
    ]
    squares = [(place - at) ** 2 for place, at in zip(places, centre, strict=True)]
    return np.count_nonzero(sum(np.ix_(*squares)) <= radius**2) * VOXEL / parts**3


def nearest_of_other_kind(study, stack, kind, mask):
    """Return distance and label of the nearest cell or nucleus that is not that of the object."""
    names = GROUPS["other_kind"]
    if len(KINDS[stack]) == 1:
        return dict.fromkeys(names)
    others = labels_of(study, stack, "cells" if kind == "nuclei" else "nuclei")
    gaps = {}
    for label in np.unique(others[others > 0]):
        other = others == label
        nucleus = mask if kind == "nuclei" else other
        if 2 * (mask & other).sum() <= nucleus.sum():
            gaps[label] = gap_between(mask, other)
    smallest = min(gaps.values())
    nearest = {label for label, gap in gaps.items() if gap == pytest.approx(smallest, abs=1e-9)}
    return dict(zip(names, (nearest, smallest), strict=True))


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_neighbors(study, stack, kind):
    table = study.tables[f"{stack}/{kind}/neighbors.csv"]
    neighborhood = study.tables[f"{stack}/{kind}/neighborhood.csv"]
    collected = rows_of(study, "neighbors.csv", stack=stack, object=kind)
    for row, own in zip(collected, table, strict=True):
        assert row.items() >= own.items()
    if stack == "none":
        assert table == neighborhood == []
        return
    rows, columns = neighbor_columns(study, stack, kind)
    for row, expected in zip(table, rows.values(), strict=True):
        assert_row(row, expected)
    for row, (label, expected) in zip(neighborhood, columns.items(), strict=True):
        assert_row(row, {"segmentation_label": label} | expected)
    if stack == "drawn":
        assert {row["within_radius"] for row in table} == {"0", "1"}
        assert {row["touching"] for row in table} == ({"0", "1"} if kind == "cells" else {"0"})


# --- contacts.csv and pairs.csv ---


def contacts_between(study):
    """Return the expected rows of contacts.csv."""
    cells = labels_of(study, "drawn", "cells")
    selected = labels_of(study, "drawn", "cells", "labels.ome.tif")
    ridges = read_stack(study.result("drawn", "cells", "membrane_ridges.tif"))[0].astype(float)
    faces, strengths = {}, {}
    for axis in range(3):
        along, high = np.moveaxis(cells, axis, 0), np.moveaxis(ridges, axis, 0)
        is_face = (along[:-1] != along[1:]) & (along[:-1] > 0) & (along[1:] > 0)
        highest = np.maximum(high[:-1], high[1:])[is_face]
        sides = np.sort([along[:-1][is_face], along[1:][is_face]], axis=0)
        for *pair, strength in zip(*sides.tolist(), highest, strict=True):
            faces.setdefault(tuple(pair), Counter())[axis] += 1
            strengths.setdefault(tuple(pair), []).append((VOXEL / SPACING[axis], strength))
    areas = {}
    for pair, count in faces.items():
        if pair == (ONE, OTHER):
            side_z, side_y, _ = np.multiply(BLOCK, SPACING)
            areas[pair] = side_z * side_y * np.sqrt(1 + SLOPE_Y**2 + SLOPE_Z**2)
        else:
            ((axis, number_of_faces),) = count.items()  # it is flat
            areas[pair] = number_of_faces * VOXEL / SPACING[axis]
    of_cell = Counter()
    for (one, other), area in areas.items():
        of_cell[one] += area
        of_cell[other] += area
    rows = []
    for one, other in sorted(areas):
        weights, values = np.transpose(strengths[one, other])
        strength, area = np.average(values, weights=weights), areas[one, other]
        is_large = area >= WALLS["min_contact_fraction"] * min(of_cell[one], of_cell[other])
        rows.append(
            {
                "stack": "drawn",
                "object": "cells",
                "segmentation_label_1": one,
                "segmentation_label_2": other,
                "label_1": selected[cells == one].max(),
                "label_2": selected[cells == other].max(),
                "contact_area_um2": area,
                "wall_strength": strength,
                "wall_missing": int(is_large and strength < WALLS["min_wall_strength"]),
            }
        )
    return rows


def test_contacts(study):
    expected = contacts_between(study)
    table = study.tables["drawn/cells/contacts.csv"]
    assert {row["wall_missing"] for row in table} == {"0", "1"}
    assert "0" in {row["label_1"] for row in table}
    for row, values in zip(table, expected, strict=True):
        if (values["segmentation_label_1"], values["segmentation_label_2"]) == (ONE, OTHER):
            oblique = values.pop("contact_area_um2")
            assert float(row["contact_area_um2"]) == pytest.approx(oblique, rel=0.05)
            values["contact_area_um2"] = float(row["contact_area_um2"])
        assert_row(row, values)


def pair_columns(study, cell):
    """Return the columns of a cell that follow from its nuclei."""
    nuclei = labels_of(study, "drawn", "nuclei")
    inside = {
        label: (cell & (nuclei == label)).sum()
        for label in range(1, nuclei.max() + 1)
        if 2 * (cell & (nuclei == label)).sum() > (nuclei == label).sum()
    }
    names = [name for name in PAIR_COLUMNS if "<channel>" not in name]
    columns = dict.fromkeys(names) | {"nuclei_count": len(inside)}
    parts = {"nucleus": cell & np.isin(nuclei, list(inside))}
    parts["cytoplasm"] = cell & ~parts["nucleus"]
    for part, channel in product(parts, CHANNELS):
        values = image_of(study, "drawn", channel)[parts[part]].astype(float)
        columns[f"{part}_mean_intensity_{channel}"] = values.mean() if inside else None
        columns[f"{part}_sum_intensity_{channel}"] = math.fsum(values) if inside else None
    if inside:
        centres = [np.argwhere(each).mean(axis=0) * SPACING for each in (parts["nucleus"], cell)]
        to_wall = ndimage.distance_transform_edt(cell, SPACING)[parts["nucleus"]]
        columns |= {
            "nucleus_segmentation_label": max(inside, key=inside.get),
            "nucleus_volume_um3": parts["nucleus"].sum() * VOXEL,
            "nucleus_to_cell_volume_ratio": parts["nucleus"].sum() / cell.sum(),
            "nucleus_offset_um": math.dist(*centres),
            "nucleus_wall_distance_min_um": to_wall.min(),
            "nucleus_wall_distance_mean_um": to_wall.mean(),
        }
    return columns


def pair_flags(study, cell, count):
    """Return the flags of a cell for its nuclei and the walls towards its neighbours."""
    flags = {0: ["no nucleus"], 1: []}.get(count, [f"{count} nuclei"])
    for row in contacts_between(study):
        pair = [row["segmentation_label_1"], row["segmentation_label_2"]]
        if row["wall_missing"] and cell in pair:
            flags += [f"no wall to {each}" for each in pair if each != cell]
    return flags


def test_pairs(study):
    cells = labels_of(study, "drawn", "cells")
    selected = labels_of(study, "drawn", "cells", "labels.ome.tif")
    table = study.tables["drawn/cells/pairs.csv"]
    assert {row["nuclei_count"] for row in table} == {"0", "1", "2"}
    for label, row in enumerate(table, 1):
        (found,) = np.unique(cells[selected == label])
        expected = {"segmentation_label": found} | pair_columns(study, selected == label)
        flags = pair_flags(study, found, expected["nuclei_count"])
        assert_row(row, expected | {"flags": ";".join(flags)})
    assert label == selected.max()


# --- stacks.csv ---


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_stacks(study, stack, kind):
    objects = study.tables[f"{stack}/{kind}/objects.csv"]
    reasons = Counter(row["reason"] for row in study.tables[f"{stack}/{kind}/selection.csv"])
    flags = [row["flags"].split(";") for row in objects if row["flags"]]
    source = {"grown": "estimated"}.get(stack, "from nuclei" if kind == "cells" else "given")
    diameter = diameter_of(study, stack, kind)
    expected = {
        "stack": stack,
        "object": kind,
        "status": "ok" if objects else "no objects",
        "count_found": reasons.total(),
        "count_measured": len(objects),
        "count_flagged": len(flags),
        **dict.fromkeys(("count_corrected", "count_corrections"), 0),
        "count_corrections_not_applied": 0,
        "density_per_mm3": density_of(study, stack, kind),
        "diameter_um": diameter,
        "diameter_source": source,
        "stack_volume_um3": np.prod(SHAPE) * np.prod(SPACING),
        "no_data_fraction": 0,
    }
    estimate = study.result(stack, kind, "diameter.json")
    is_estimated = stack == "grown"
    assert estimate.is_file() == is_estimated  # the labels of the others are external
    expected["estimated_diameter_um"] = (
        json.loads(estimate.read_text())["diameter_um"] if is_estimated else None
    )
    for axis, size, step in zip("zyx", SHAPE, SPACING, strict=True):
        expected |= {f"voxel_size_{axis}_um": step, f"shape_{axis}_voxels": size}
    for reason in (
        "lateral face",
        "top or bottom face",
        "beside no data",
        "below size range",
        "above size range",
    ):
        expected[f"count_dropped_{reason.replace(' ', '_')}"] = reasons[reason]
    expected["count_dropped_dim"] = 0 if stack == "grown" else None
    expected["haze_ratio"] = haze_of(study, stack) if stack == "grown" else None
    expected["sheet_fraction"] = 0 if stack == "grown" and kind == "nuclei" else None
    expected["count_saturated"] = 0 if kind == "nuclei" else None
    expected["cut_by_faces"] = cut_by_faces(study, stack, kind)
    channel = {"nuclei": "nuclei", "cells": "membrane"}[kind]
    (quality,) = rows_of(study, "quality.csv", stack=stack, channel=channel)
    for column in ("signal_to_noise_ratio", "dimming_ratio"):
        expected[column] = float(quality[column]) if quality[column] else None
    for column in ("equivalent_diameter_um", "volume_um3", "contrast_to_noise_ratio"):
        values = [float(row[column]) for row in objects if row[column]]
        expected[f"median_{column}"] = np.median(values) if values else None
    diameters = [float(row["equivalent_diameter_um"]) for row in objects]
    if not objects:
        nothing = "nothing was found (check diameter_um, the channel and the contrast of the image)"
        expected["flags"] = ";".join([f"no objects: {nothing}", *flags_of_channels(study, stack)])
    else:
        median = np.median(diameters)
        is_other = source != "from nuclei" and not 2 / 3 < median / diameter < 3 / 2
        stack_flags = [
            f"objects of another diameter: the median is {median:.3g} um, and diameter_um "
            f"{diameter:.3g} um (check which of them is right)"
        ] * is_other
        stack_flags += flags_of_channels(study, stack)
        for flag, why in (
            ("seeds close together", "objects may be split into several"),
            ("irregular for its stack", "check the figures"),
            ("low contrast", "they may be noise"),
        ):
            number = sum(flag in row["flags"] for row in objects)
            if 3 * number > len(objects) >= 5:
                stack_flags.append(f"{flag}: {number} of {len(objects)} objects ({why})")
        expected["flags"] = ";".join(stack_flags)
    (summary,) = study.tables[f"{stack}/{kind}/summary.csv"]
    for column, value in expected.items():
        if not isinstance(value, str | None):  # cells of objects.csv are rounded
            assert float(summary[column]) == pytest.approx(value, rel=1e-7, abs=1e-9), column
        else:
            assert summary[column] == (value or ""), column
    assert summary.keys() == expected.keys()
    (row,) = rows_of(study, "stacks.csv", stack=stack, object=kind)
    (checked,) = rows_of(study, "checks.csv", stack=stack, object=kind)
    row |= checked
    assert summary.items() <= row.items()
    others = row.keys() - summary.keys()
    assert {row[name] for name in others - {"condition", "mouse"}} <= {""}
    assert row["condition"] == {"drawn": "control", "grown": "drug"}.get(stack, "")


def cut_by_faces(study, stack, kind):
    labels = labels_of(study, stack, kind)
    touched = [touched_faces(labels == label) for label in range(1, labels.max() + 1)]
    counts = {face: sum(each[face] for each in touched) for face in touched_faces(labels)}
    return ";".join(f"{face} {count}" for face, count in counts.items() if count)


def flags_of_channels(study, stack):
    return [
        f"{row['channel']}: {flag}"
        for row in rows_of(study, "quality.csv", stack=stack)
        for flag in row["flags"].split(";")
        if flag
    ]


# --- quality.csv ---


def block_means(plane):
    """Return the means of blocks of 4 x 4 pixels."""
    rows, columns = (size // 4 for size in plane.shape)
    return plane[: 4 * rows, : 4 * columns].reshape(rows, 4, columns, 4).mean(axis=(1, 3))


def focus_of(plane):
    smooth = ndimage.gaussian_filter(plane, 1, mode="mirror")
    if smooth.var() == 0:
        return np.nan
    square = np.diff(smooth, axis=0)[:, 1:] ** 2 + np.diff(smooth, axis=1)[1:] ** 2
    return square.mean() / smooth.var()


def is_blurred(z, focus, signal, noise):
    """Return whether a plane is out of focus, given the focus and the signal of all planes."""
    usable = [i for i in range(len(focus)) if signal[i] >= 4 * noise and focus[i] >= 0]
    before = [i for i in usable if z - 2 <= i < z]
    after = [i for i in usable if z < i <= z + 2]
    if z not in usable or not before or not after:
        return False
    beside = before + after
    return focus[z] < np.median(focus[beside]) / 2 and signal[z] < 1.2 * np.median(signal[beside])


@pytest.mark.parametrize(
    ("stack", "channel"),
    [*(("drawn", channel) for channel in CHANNELS), ("grown", "nuclei"), ("none", "nuclei")],
)
def test_quality(study, stack, channel):
    raw = read_stack(study.result(stack, "channels", channel, "raw.tif"))[0].astype(float)
    second = np.diff(np.diff(raw, 2, axis=1), 2, axis=2)
    changes = np.abs(second[second != 0])
    noise = np.median(changes) / (6 * stats.norm.ppf(0.75)) if len(changes) else 0
    blocks = np.stack([block_means(plane) for plane in raw])
    signal = np.array([np.subtract(*np.percentile(each, (99, 5))) for each in blocks])
    of_stack = np.subtract(*np.percentile(blocks, (99.5, 5)))
    focus = np.array([focus_of(plane) for plane in raw])
    tiles = [
        np.percentile(tile, 10)
        for part in np.array_split(blocks, 4, axis=1)
        for tile in np.array_split(part, 4, axis=2)
    ]
    planes = np.flatnonzero(signal > 2 * noise)
    is_constant = np.ptp(raw, axis=(1, 2)) == 0
    repeated = [
        not is_constant[z] and bool((raw[z] == raw[z - 1]).all()) for z in range(1, len(raw))
    ]
    expected = {
        "stack": stack,
        "channel": channel,
        "saturated_fraction": np.mean(raw == raw.max()) if np.ptp(raw) else 0,
        "zero_fraction": np.mean(raw == 0),
        "count_grey_levels": len(np.unique(raw)),
        "noise_sd_intensity": noise,
        "signal_to_noise_ratio": of_stack / noise if noise else None,
        "dimming_ratio": None,
        "dimming_fit_fraction": None,
        "signal_start_um": planes[0] * SPACING[0] if len(planes) else None,
        "signal_end_um": planes[-1] * SPACING[0] if len(planes) else None,
        "background_range_ratio": np.ptp(tiles) / of_stack if of_stack else None,
        "count_blurred_planes": sum(is_blurred(z, focus, signal, noise) for z in range(len(raw))),
        "count_repeated_planes": sum(repeated),
        "count_missing_planes": 0 if is_constant.all() else is_constant.sum(),
    }
    if len(planes) >= 5:
        slope, _, correlation, *_ = stats.linregress(planes, np.log(signal[planes]))
        expected["dimming_ratio"] = np.exp(slope * np.ptp(planes))
        expected["dimming_fit_fraction"] = correlation**2
    (row,) = rows_of(study, "quality.csv", stack=stack, channel=channel)
    flags = row.pop("flags")
    for column, value in expected.items():  # those of cv2 are of single precision
        if not isinstance(value, str | None):
            assert float(row[column]) == pytest.approx(value, rel=1e-4, abs=1e-6), column
        else:
            assert row[column] == (value or ""), column
    assert row.keys() == expected.keys()
    row["flags"] = flags
    possible = {
        "saturated: ": expected["saturated_fraction"] > 0.01,
        "only ": 1 < expected["count_grey_levels"] < 24,
        "low signal to noise: ": (expected["signal_to_noise_ratio"] or 9) < 3,
        "dim at ": (expected["dimming_fit_fraction"] or 0) >= 0.75
        and not 0.5 < expected["dimming_ratio"] < 2,
        "uneven background: ": (expected["background_range_ratio"] or 0) > 0.5,
        "out of focus: ": expected["count_blurred_planes"] > 0,
        "the same as the plane before: ": expected["count_repeated_planes"] > 0,
        "empty: ": expected["count_missing_planes"] > 0,
    }
    found = flags.split(";") if flags else []
    wanted = [text for text, is_set in possible.items() if is_set]
    assert all(text in flag for text, flag in zip(wanted, found, strict=True)), (wanted, found)


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_statistics(study, stack, kind):
    objects = study.tables[f"{stack}/{kind}/objects.csv"]
    rows = study.tables[f"{stack}/{kind}/statistics.csv"]
    header = study.result(stack, kind, "objects.csv").read_text().splitlines()[0].split(",")
    measured = [
        column
        for column in header
        if column not in ("stack", "object", "label", "flags", "corrections")
        and "segmentation_label" not in column
        and not column.startswith(("centroid", "bbox", "touches", "direction"))
    ]
    assert [row["column"] for row in rows] == measured
    for row in rows:
        column = row["column"]
        values = np.array([float(each[column]) for each in objects if each[column]])
        summed = column in ("volume_um3", "surface_area_um2") or column.startswith("sum_intensity")
        expected = {
            "n": len(values),
            "mean": math.fsum(values) / len(values) if len(values) else None,
            "sd": np.std(values, ddof=1) if len(values) > 1 else None,
            "min": min(values, default=None),
            "max": max(values, default=None),
            "total": values.sum() if summed else None,
        }
        for name, percent in (("median", 50), *((f"p{p}", p) for p in (5, 25, 75, 95))):
            rank = percent / 100 * (len(values) - 1)
            found = np.interp(rank, range(len(values)), np.sort(values)) if len(values) else None
            expected[name] = found
        assert row.keys() == {"stack", "object", "column", "unit", *expected}
        for name, value in expected.items():  # cells of objects.csv are rounded
            assert (row[name] == "") == (value is None), (column, name)
            if value is not None:
                assert float(row[name]) == pytest.approx(value, rel=1e-7, abs=1e-9), (column, name)
        assert row in rows_of(study, "statistics.csv", stack=stack, object=kind)


# --- scores.csv and stack_scores.csv ---


def scored(study, stack, kind):
    """Return ground truth, labels, and voxels and IoU of each pair of objects, from 1."""
    real, labels = labels_of(study, stack, kind, "ground_truth.tif"), labels_of(study, stack, kind)
    shared = np.zeros((real.max() + 1, labels.max() + 1))
    np.add.at(shared, (real.ravel(), labels.ravel()), 1)
    sizes = shared.sum(axis=1), shared.sum(axis=0)
    iou = shared / (sizes[0][:, None] + sizes[1] - shared)
    return real, labels, shared, *sizes, iou[1:, 1:]


def match(iou, threshold):
    """Return rows and columns of the largest matching, and of these of that of greatest IoU."""
    reward = np.where(iou >= threshold, len(iou) + 1 + iou, 0)
    rows, columns = linear_sum_assignment(-reward)
    is_match = reward[rows, columns] > 0
    return rows[is_match], columns[is_match]


def rates(iou, threshold):
    matched = iou[match(iou, threshold)]
    hits, (real, found) = len(matched), iou.shape
    return {
        "precision": hits / found,
        "recall": hits / real,
        "f1": 2 * hits / (real + found),
        "average_precision": hits / (real + found - hits),
        "panoptic_quality": 2 * matched.sum() / (real + found),
    }


SCORED = [("drawn", "nuclei"), ("drawn", "cells"), ("grown", "nuclei")]


@pytest.mark.parametrize(("stack", "kind"), SCORED)
def test_scores(study, stack, kind):
    *_, iou = scored(study, stack, kind)
    table = rows_of(study, "scores.csv", stack=stack, object=kind)
    for row, threshold in zip(table, np.arange(1, 10) / 10, strict=True):
        matched = iou[match(iou, threshold)]
        expected = {
            "stack": stack,
            "object": kind,
            "ground_truth": "outlines",
            "iou_threshold": threshold,
            "true_positives": len(matched),
            "false_positives": iou.shape[1] - len(matched),
            "false_negatives": iou.shape[0] - len(matched),
            "mean_matched_iou": matched.mean() if len(matched) else None,
        }
        assert_row(row, expected | rates(iou, threshold))


@pytest.mark.parametrize(("stack", "kind"), SCORED)
def test_stack_scores(study, stack, kind):
    real, labels, shared, real_voxels, found_voxels, iou = scored(study, stack, kind)
    real_voxels, found_voxels, both = real_voxels[1:], found_voxels[1:], shared[1:, 1:]
    detects = both > real_voxels[:, None] / 2
    detected, detectors = detects.any(axis=1).sum(), detects.any(axis=0).sum()
    cost = 5 * (detected - detectors) + 10 * (len(iou) - detected) + iou.shape[1] - detectors
    best = iou.argmax(axis=1)
    paired = both[range(len(iou)), best]
    unions = real_voxels + found_voxels[best] * (paired > 0) - paired
    unused = np.delete(found_voxels, best[paired > 0]).sum()
    # what is split and merged: the parts of each object
    of_real = (both > found_voxels / 2) & (both >= real_voxels[:, None] / 10)
    of_found = (both > real_voxels[:, None] / 2) & (both >= found_voxels / 10)
    split, merged = of_real.sum(axis=1) > 1, of_found.sum(axis=0) > 1
    is_part = (of_real & split[:, None]).any(axis=0)
    is_merged_part = (of_found & merged).any(axis=1)
    rows, columns = match(iou, 0.1)
    missed = np.delete(~(split | is_merged_part), rows)
    spurious = np.delete(~(merged | is_part), columns)
    explained = split[rows] | is_merged_part[rows] | merged[columns] | is_part[columns]
    split_bit, merge_bit = metrics.variation_of_information(real, labels, ignore_labels=(0,))
    at_half = match(iou, 0.5)
    excess = found_voxels[at_half[1]] - real_voxels[at_half[0]]
    percent = 100 * excess / real_voxels[at_half[0]]
    pairs = zip(*at_half, strict=True)
    distances = [surface_distance(real == a + 1, labels == b + 1) for a, b in pairs]
    expected = {
        "stack": stack,
        "object": kind,
        "ground_truth": "outlines",
        "count_ground_truth": len(iou),
        "count_found": iou.shape[1],
        **rates(iou, 0.5),
        "f1_uncorrected": None,
        "seg": iou[detects].sum() / len(iou),
        "det": 1 - min(cost / (10 * len(iou)), 1),
        "aggregated_jaccard_index": paired.sum() / (unions.sum() + unused),
        "adapted_rand_error": metrics.adapted_rand_error(real, labels, ignore_labels=(0,))[0],
        "variation_of_information_split_bit": split_bit,
        "variation_of_information_merge_bit": merge_bit,
        "count_split": split.sum(),
        "count_merged": merged.sum(),
        "count_missed": missed.sum(),
        "count_spurious": spurious.sum(),
        "count_low_iou": ((iou[rows, columns] < 0.5) & ~explained).sum(),
        "volume_bias_um3": excess.mean() * VOXEL,
        "volume_bias_percent": percent.mean(),
        "volume_bias_median_percent": np.median(percent),
        "volume_sd_percent": np.std(percent, ddof=1),
        "mean_surface_distance_um": np.mean(distances),
    }
    (row,) = rows_of(study, "stack_scores.csv", stack=stack, object=kind)
    assert_row(row, expected)


def surface_distance(one, other):
    """Return the average symmetric distance of two surfaces; faces of the stack are no surface."""
    surfaces = [
        np.argwhere(mask & ~ndimage.binary_erosion(mask, border_value=1)) * SPACING
        for mask in (one, other)
    ]
    distances = [cKDTree(b).query(a)[0] for a, b in (surfaces, surfaces[::-1])]
    return np.concatenate(distances).mean()
