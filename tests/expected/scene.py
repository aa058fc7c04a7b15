"""Drawn objects with known quantities, and a finished run on their images."""

import csv
import json
import math
from itertools import product

import numpy as np
import tifffile
from scipy import ndimage
from study import Study, simulated

from cellstack.config.object_columns import NEIGHBORS
from cellstack.files.stacks import read_stack, write_stack
from cellstack.measure.measure_objects import MEASURED

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


def run_scene(folder):
    """Return a finished run: drawn objects, nuclei that the workflow finds, and an empty stack.

    Its `images` are those of each channel or stack, its `tables` the rows of each CSV file.
    """
    study = Study(folder)
    nuclei, cells = draw_nuclei(), draw_cells()
    study.images = draw_images(nuclei, cells)
    by_hand = {
        "nuclei-labels": nuclei,
        "cells-labels": cells,
        "nuclei-truth": draw_ground_truth(nuclei),
        "cells-truth": ndimage.shift(cells, (0, 2, -3), order=0),
        "no-labels": np.zeros(SHAPE, np.uint16),
    }
    for name, labels in by_hand.items():
        write_stack(study.folder / f"{name}.tif", labels, (1, 1, 1))
    # the nuclei have no voxel size along y, the membrane along z, the marker none at all
    for channel, known in zip(CHANNELS, ("zx", "yx", ""), strict=True):
        sizes = {}
        for axis in known:
            sizes[f"PhysicalSize{axis.upper()}"] = SPACING["zyx".index(axis)]
            sizes[f"PhysicalSize{axis.upper()}Unit"] = "µm"
        image, metadata = study.images[channel], {"axes": "ZYX"} | sizes
        tifffile.imwrite(study.folder / f"{channel}.ome.tif", image, ome=True, metadata=metadata)
        given = {f"{axis}_um": SPACING["zyx".index(axis)] for axis in "zyx" if axis not in known}
        cells_of_row = {"image": f"{channel}.ome.tif"} | given
        if channel != "marker":
            kind = "nuclei" if channel == "nuclei" else "cells"
            cells_of_row |= {"labels": f"{kind}-labels.tif", "ground_truth": f"{kind}-truth.tif"}
        study.add("drawn", channel, **cells_of_row, condition="control", mouse="m-7")
    colony = simulated(SHAPE, SPACING, count=6)
    study.images["grown"] = colony.nuclei_image
    write_stack(study.folder / "grown.tif", colony.nuclei_image, SPACING)
    write_stack(study.folder / "grown-truth.tif", colony.nuclei_labels, SPACING)
    grown = {"preset": "several", "diameter_um": "auto", "ground_truth": "grown-truth.tif"}
    study.add("grown", image="grown.tif", **grown, condition="drug")
    study.add("none", image="nuclei.ome.tif", y_um=SPACING[1], labels="no-labels.tif")
    largest, smallest = (f"{share} v" for share in VOLUMES[::-1])
    study.config |= {
        "presets": {"several": SEVERAL_SEEDS},
        # both would bring weak walls, which this test needs, closer to the others
        "enhance_membrane": {"square_root": False, "local_factor": None},
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


def image_of(study, stack, channel):
    """Return the image that the test wrote for a channel."""
    return study.images[channel if stack == "drawn" else {"none": "nuclei"}.get(stack, stack)]


def diameter_of(study, stack, kind):
    """Return the diameter that the sizes of a stack are derived from."""
    if stack == "grown":
        return json.loads(study.result(stack, kind, "diameter.json").read_text())["diameter_um"]
    return DIAMETER_UM * (1.4 if kind == "cells" else 1)
