"""Neighbours against scipy.ndimage, a k-d tree and a comparison of all pairs of voxels."""

import itertools
import math

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from random_objects import gap_of, random_objects
from scipy import ndimage
from scipy.spatial import cKDTree

from cellstack.tissue.measure_neighbors import measure_neighbors

SPACING = (2.0, 0.7, 0.5)
OPTIONS = {"nearest_count": 3, "radius_um": 6.0}


def measure(labels, spacing=SPACING, **options):
    return measure_neighbors(np.asarray(labels, np.uint16), spacing, **(OPTIONS | options))


def by_label(found):
    return {int(row["segmentation_label"]): row for row in found.objects}


def by_pair(found):
    return {
        (int(pair["segmentation_label_1"]), int(pair["segmentation_label_2"])): pair
        for pair in found.pairs
    }


def surface_voxels(labels):
    """Return the voxels of each label that have another label or a face of the stack beside."""
    padded = np.pad(labels, 1)
    different = np.zeros(labels.shape, bool)
    for axis, step in itertools.product(range(3), (-1, 1)):
        different |= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1] != labels
    return {
        label: np.argwhere(different & (labels == label)) for label in np.unique(labels[labels > 0])
    }


def expected_rows(labels, spacing, nearest_count, radius_um):
    """Return distances and counts of each label, by SciPy and by all pairs of surface voxels."""
    names = [int(label) for label in np.unique(labels[labels > 0])]
    centroids = np.array(ndimage.center_of_mass(labels > 0, labels, names)) * spacing
    voxels = surface_voxels(labels)
    gaps = {
        pair: gap_of(voxels[pair[0]], voxels[pair[1]], spacing)
        for pair in itertools.combinations(names, 2)
    }
    tree = cKDTree(centroids)
    rows = {}
    for name, centroid in zip(names, centroids, strict=True):
        distances = tree.query(centroid, len(names))[0].reshape(-1)[1:]
        rows[name] = {
            "nearest_centroid_distance_um": distances[0] if len(distances) else None,
            "nearest_surface_distance_um": min(
                (gap for pair, gap in gaps.items() if name in pair), default=None
            ),
            "mean_nearest_centroid_distance_um": (
                distances[:nearest_count].mean() if len(distances) >= nearest_count else None
            ),
            "neighbor_count": len(tree.query_ball_point(centroid, radius_um)) - 1,
        }
    return rows, gaps


@pytest.mark.parametrize("seed", range(12))
def test_distances_are_those_of_all_pairs(seed):
    labels = random_objects(seed, count=2 + seed)
    rows, gaps = expected_rows(labels, SPACING, **OPTIONS)
    found = measure(labels)
    assert by_label(found).keys() == rows.keys()
    for label, row in by_label(found).items():
        assert {name: row[name] for name in rows[label]} == pytest.approx(rows[label])
    for pair, row in by_pair(found).items():
        assert row["surface_distance_um"] == pytest.approx(gaps[pair], abs=1e-9)


REAL = {  # labels, their voxel size in um, and the diameter of an object
    "tutorial/nuclei_reference_labels.tif": ((0.58, 0.522, 0.522), 12.0),
    "ovule/nuclei_truth.tif": ((0.284, 0.127, 0.127), 3.0),
    "embryos/emb05-*/nuclei_truth.tif": ((1.75, 0.8, 0.8), 14.0),
    "membrane/cells_truth.tif": ((0.235, 0.15, 0.15), 4.5),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_labels(data, name):
    spacing, diameter = REAL[name]
    (path,) = data.glob(name)
    labels = tifffile.imread(path).astype(np.uint16)
    options = {"nearest_count": 5, "radius_um": 1.5 * diameter}
    found = measure_neighbors(labels, spacing, **options)
    names = [int(label) for label in np.unique(labels[labels > 0])]
    centroids = np.array(ndimage.center_of_mass(labels > 0, labels, names)) * spacing
    distances, order = cKDTree(centroids).query(centroids, 6)
    within = cKDTree(centroids).query_pairs(options["radius_um"])
    rows = by_label(found)
    assert list(rows) == names
    for i, label in enumerate(names):
        row = rows[label]
        assert row["nearest_centroid_distance_um"] == pytest.approx(distances[i, 1])
        assert row["mean_nearest_centroid_distance_um"] == pytest.approx(distances[i, 1:].mean())
        assert row["neighbor_count"] == sum(i in pair for pair in within)
    pairs = by_pair(found)
    expected = {tuple(sorted(pair)) for pair in within}
    expected |= {(min(i, int(j)), max(i, int(j))) for i, row in enumerate(order) for j in row[1:]}
    assert {(names[i], names[j]) for i, j in expected} <= pairs.keys()
    # the distance of every voxel to each of some labels, by SciPy: from voxel centre to centre
    for label in names[:: len(names) // 5]:
        to_label = ndimage.distance_transform_edt(labels != label, spacing)
        centres = ndimage.minimum(to_label, labels, names)
        surface = [centre for other, centre in zip(names, centres, strict=True) if other != label]
        nearest = rows[label]["nearest_surface_distance_um"]
        assert min(surface) - np.linalg.norm(spacing) <= nearest + 1e-6
        assert nearest <= min(surface) - min(spacing) + 1e-6
    # and exact distances of some pairs
    voxels = surface_voxels(labels)
    apart = [pair for pair, row in pairs.items() if row["touching"] == 0]
    for pair in apart[:: max(1, len(apart) // 8)]:
        gap = gap_of(voxels[pair[0]], voxels[pair[1]], spacing)
        assert pairs[pair]["surface_distance_um"] == pytest.approx(gap, abs=1e-9)


def lattice(counts, period, side, margin):
    """Return boxes of `side` voxels, with a period along each axis, and a margin at the faces."""
    shape = [
        count * step + 2 * edge for count, step, edge in zip(counts, period, margin, strict=True)
    ]
    labels = np.zeros(shape, np.uint16)
    for label, place in enumerate(np.ndindex(*counts), 1):
        start = [edge + at * step for edge, at, step in zip(margin, place, period, strict=True)]
        labels[tuple(slice(low, low + long) for low, long in zip(start, side, strict=True))] = label
    return labels


def test_lattice_of_separate_boxes():
    # periods of 6, 7 and 8 um, gaps of 2, 2.1 and 3 um along z, y and x
    labels = lattice((5, 5, 5), (3, 10, 16), (2, 7, 10), (0, 0, 0))
    found = measure(labels, nearest_count=6, radius_um=8.1)
    inner = by_label(found)[63]
    assert inner["nearest_centroid_distance_um"] == pytest.approx(6)
    assert inner["nearest_surface_distance_um"] == pytest.approx(2)
    assert inner["mean_nearest_centroid_distance_um"] == pytest.approx((6 + 7 + 8) / 3)
    assert inner["neighbor_count"] == 6
    assert inner["touching_count"] == inner["contact_fraction"] == 0
    assert by_pair(found)[62, 63]["surface_distance_um"] == pytest.approx(3)
    assert by_pair(found)[58, 63]["surface_distance_um"] == pytest.approx(2.1)
    assert by_label(found)[1]["neighbor_count"] == 3


def test_lattice_of_adjacent_boxes():
    labels = lattice((3, 3, 3), (4, 10, 12), (4, 10, 12), (1, 1, 1))
    found = measure(labels, nearest_count=1)
    sides = np.multiply((4, 10, 12), SPACING)
    faces = np.prod(sides) / sides
    inner = by_label(found)[14]
    assert inner["touching_count"] == 6
    assert inner["contact_fraction"] == 1
    assert inner["nearest_surface_distance_um"] == 0
    for other, axis in ((5, 0), (11, 1), (13, 2)):
        pair = by_pair(found)[other, 14]
        assert pair["touching"] == 1
        assert pair["contact_area_um2"] == pytest.approx(faces[axis])
        assert pair["centroid_distance_um"] == pytest.approx(sides[axis])
    corner = by_label(found)[1]
    assert corner["touching_count"] == 3
    # edges of the free surface are rounded, as outlines of objects are
    assert 0.5 < corner["contact_fraction"] < 0.57


@pytest.mark.parametrize("spacing", [(0.3, 0.28, 0.26), (1.04, 0.26, 0.3)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_contact_fraction_of_half_balls(spacing, axis):
    shape = [int(14 / step) for step in spacing]
    offsets = np.ix_(
        *((np.arange(n) - (n - 1) / 2) * step for n, step in zip(shape, spacing, strict=True))
    )
    labels = np.where(sum(np.square(each) for each in offsets) < 36, 1, 0)
    along = np.moveaxis(labels, axis, 0)
    along[: len(along) // 2] *= 2
    for row in measure(labels, spacing).objects:
        assert row["contact_fraction"] == pytest.approx(1 / 3, abs=0.03)


def test_faces_of_the_stack_are_not_part_of_the_surface():
    labels = np.ones((4, 20, 40), int)
    labels[:, :, 20:] = 2
    for row in measure(labels).objects:
        assert row["contact_fraction"] == 1
    labels[:, :, 39] = 0
    assert by_label(measure(labels))[1]["contact_fraction"] == 1
    assert by_label(measure(labels))[2]["contact_fraction"] == pytest.approx(0.5)


@pytest.mark.slow
def test_density_is_the_same_at_faces_edges_and_corners():
    # one voxel per 2 x 2.1 x 2 um
    labels = np.roll(lattice((11, 12, 12), (1, 3, 4), (1, 1, 1), (0, 0, 0)), (0, 1, 2), (0, 1, 2))
    found = measure(labels, radius_um=7.0, nearest_count=1)
    density = 1e9 / (2 * 2.1 * 2)
    ball = 4 / 3 * math.pi * 7**3
    others = density - 1e9 / ball  # the object itself is not counted
    complete = [row for row in found.objects if not row["neighborhood_incomplete"]]
    assert len(complete) > 100
    for row in complete:
        assert row["local_density_per_mm3"] == pytest.approx(others, rel=0.05)
    cut = [row["local_density_per_mm3"] for row in found.objects if row["neighborhood_incomplete"]]
    assert len(cut) > 1000
    assert np.mean(cut) == pytest.approx(others, rel=0.05)
    assert np.min(cut) > 0.75 * density
    uncorrected = [row["neighbor_count"] / ball * 1e9 for row in found.objects]
    assert np.min(uncorrected) < 0.25 * density


def test_density_of_random_points_is_that_of_the_stack():
    rng = np.random.default_rng(1)
    labels = np.zeros((40, 60, 80), np.uint16)
    places = rng.choice(labels.size, 1500, replace=False)
    labels.ravel()[places] = np.arange(1, 1501)
    found = measure(labels, radius_um=7.0, nearest_count=1)
    density = 1500 / (labels.size * math.prod(SPACING)) * 1e9
    found_density = [row["local_density_per_mm3"] for row in found.objects]
    assert np.mean(found_density) == pytest.approx(density, rel=0.03)
    cut = [row["local_density_per_mm3"] for row in found.objects if row["neighborhood_incomplete"]]
    assert len(cut) > 800
    assert np.mean(cut) == pytest.approx(density, rel=0.03)


def test_density_does_not_count_regions_without_data_as_empty():
    rng = np.random.default_rng(2)
    no_data = np.zeros((30, 60, 80), bool)
    no_data[:, :, 40:] = True
    places = rng.choice(np.flatnonzero(~no_data), 600, replace=False)
    labels = np.zeros(no_data.shape, np.uint16)
    labels.ravel()[places] = np.arange(1, 601)
    density = 600 / (np.count_nonzero(~no_data) * math.prod(SPACING)) * 1e9
    beside = labels[:, :, 34:40]
    beside = beside[beside > 0] - 1
    means = {}
    for name, given_no_data in (("with", no_data), ("without", None)):
        found = measure(labels, no_data=given_no_data, nearest_count=1)
        means[name] = np.mean([found.objects[i]["local_density_per_mm3"] for i in beside])
    assert means["with"] == pytest.approx(density, rel=0.1)
    assert means["without"] < 0.75 * density
    rows = measure(labels, no_data=no_data, nearest_count=1).objects
    assert all(rows[i]["neighborhood_incomplete"] for i in beside)


def test_objects_near_a_face_are_marked():
    labels = np.zeros((20, 60, 80), int)
    labels[9:11, 30:32, 6:8] = 1  # 3.25 um from the first column
    labels[9:11, 30:32, 14:16] = 2  # 4 um from the first one
    labels[9:11, 30:32, 40:42] = 3  # 13 um from the others, 20 um from the faces
    rows = by_label(measure(labels, radius_um=7.5))
    assert rows[1]["edge_distance_um"] == pytest.approx(3.5)
    assert [rows[label]["nearest_incomplete"] for label in (1, 2, 3)] == [1, 0, 0]
    assert [rows[label]["neighborhood_incomplete"] for label in (1, 2, 3)] == [1, 0, 0]
    rows = by_label(measure(labels, radius_um=7.6))
    assert rows[2]["neighborhood_incomplete"] == 1


def test_stack_of_one_plane():
    labels = np.zeros((1, 60, 80), int)
    labels[0, 20:30, 20:30], labels[0, 20:30, 30:40], labels[0, 50:55, 20:30] = 1, 2, 3
    found = measure(labels, radius_um=6.0)
    rows = by_label(found)
    assert rows[1]["nearest_centroid_distance_um"] == pytest.approx(5)
    assert by_pair(found)[1, 3]["surface_distance_um"] == pytest.approx(20 * 0.7)
    assert by_pair(found)[1, 2]["contact_area_um2"] == pytest.approx(10 * 0.7 * 2.0)
    assert rows[1]["contact_fraction"] == pytest.approx(7 / (14 + 10), abs=0.05)
    assert rows[1]["neighborhood_incomplete"] == 0
    assert rows[1]["local_density_per_mm3"] is None


def test_empty_stack():
    assert measure(np.zeros((3, 4, 5))) == ([], [])
    assert measure(np.zeros((3, 4, 5)), others=np.ones((3, 4, 5), np.uint16)) == ([], [])


def test_single_object():
    labels = np.zeros((9, 30, 40), int)
    labels[4, 15, 20] = 5
    others = np.zeros(labels.shape, np.uint16)
    found = measure(labels, others=others)
    assert found.pairs == []
    (row,) = found.objects
    assert row["segmentation_label"] == 5
    empty = [name for name, value in row.items() if value is None]
    assert empty == [
        "nearest_centroid_distance_um",
        "nearest_surface_distance_um",
        "mean_nearest_centroid_distance_um",
        "nearest_other_kind_segmentation_label",
        "nearest_other_kind_surface_distance_um",
    ]
    assert row["neighbor_count"] == row["touching_count"] == row["local_density_per_mm3"] == 0
    assert row["nearest_incomplete"] == 1


def test_one_object_fills_the_stack():
    (row,) = measure(np.ones((3, 4, 5))).objects
    assert row["contact_fraction"] == 0


def test_objects_with_the_same_centroid():
    labels = np.zeros((1, 9, 45), int)
    for width, label in ((4, 1), (3, 2), (2, 3), (1, 4), (0, 5)):
        labels[0, 4 - width : 5 + width, 22 - 5 * width : 23 + 5 * width] = label
    found = measure(labels, nearest_count=2)
    assert [row["nearest_centroid_distance_um"] for row in found.objects] == [0] * 5
    assert [row["mean_nearest_centroid_distance_um"] for row in found.objects] == [0] * 5
    assert [row["neighbor_count"] for row in found.objects] == [4] * 5
    assert [row["touching_count"] for row in found.objects] == [1, 2, 2, 2, 1]


def test_nearest_surface_may_be_that_of_a_large_object_with_a_distant_centroid():
    labels = np.zeros((6, 40, 200), int)
    labels[:, 0, :] = 50  # a wall
    for label in range(1, 8):
        labels[2:4, 3:6, 20 * label : 20 * label + 4] = label
    found = measure(labels, nearest_count=1, radius_um=5.0)
    for label in range(1, 8):
        assert by_label(found)[label]["nearest_surface_distance_um"] == pytest.approx(1.4)
        assert by_pair(found)[label, 50]["surface_distance_um"] == pytest.approx(1.4)


def test_pairs_are_listed_once_in_order():
    found = measure(random_objects(3, count=20))
    pairs = list(by_pair(found))
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)
    within = [row for row in found.pairs if row["within_radius"]]
    assert 0 < len(within) < len(found.pairs)
    assert all(row["centroid_distance_um"] <= 6 for row in within)


@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_order_of_the_axes_does_not_matter(seed, order):
    labels = random_objects(seed, (6, 12, 14), 5)
    one = measure(labels)
    other = measure(labels.transpose(order), tuple(np.array(SPACING)[order]))
    for row, turned in zip(one.objects, other.objects, strict=True):
        assert {**row, "local_density_per_mm3": 0} == pytest.approx(
            {**turned, "local_density_per_mm3": 0}
        )
        assert row["local_density_per_mm3"] == pytest.approx(
            turned["local_density_per_mm3"], rel=5e-3
        )


def test_threads_do_not_change_the_result():
    labels, others = random_objects(5, count=20), random_objects(6, count=20)
    assert measure(labels, others=others) == measure(labels, others=others, threads=2)


def nuclei_and_cells(seed):
    """Return labels of cells in the boxes of a grid, and of nuclei that are in and beside them."""
    rng = np.random.default_rng(seed)
    cells = lattice((2, 3, 3), (4, 10, 12), (4, 9, 11), (0, 1, 1))
    cells[cells == 8] = 0
    nuclei = np.zeros(cells.shape, np.uint16)
    for label, place in enumerate(np.ndindex(2, 3, 3), 1):
        start = [
            at * step + rng.integers(0, 4) for at, step in zip(place, (4, 10, 12), strict=True)
        ]
        size = rng.integers(1, 9, 3)
        box = tuple(slice(low, low + long) for low, long in zip(start, size, strict=True))
        nuclei[box] = np.where(nuclei[box] == 0, label, nuclei[box])
    return nuclei, cells


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["nuclei", "cells"])
def test_nearest_object_of_the_other_kind(seed, kind):
    nuclei, cells = nuclei_and_cells(seed)
    labels, others = (nuclei, cells) if kind == "nuclei" else (cells, nuclei)
    found = by_label(measure(labels, kind=kind, others=others))
    voxels, other_voxels = surface_voxels(labels), surface_voxels(others)
    seen = set()
    for label, row in found.items():
        gaps = {}
        for other in other_voxels:
            nucleus, cell = (label, other) if kind == "nuclei" else (other, label)
            inside = np.count_nonzero((nuclei == nucleus) & (cells == cell))
            if inside > np.count_nonzero(nuclei == nucleus) / 2:
                seen.add("contained")
                continue
            gaps[other] = gap_of(voxels[label], other_voxels[other], SPACING) if inside == 0 else 0
        smallest = min(gaps.values())
        seen.add(smallest > 0)
        assert row["nearest_other_kind_surface_distance_um"] == pytest.approx(smallest, abs=1e-9)
        assert gaps[row["nearest_other_kind_segmentation_label"]] == pytest.approx(
            smallest, abs=1e-9
        )
    assert seen >= {"contained", False}


def test_distance_to_a_small_cell_within_a_nucleus_is_zero():
    nuclei, cells = np.zeros((2, 8, 30, 40), np.uint16)
    nuclei[1:7, 5:25, 5:30], cells[3:5, 12:15, 12:15] = 1, 1
    for kind, labels, others in (("nuclei", nuclei, cells), ("cells", cells, nuclei)):
        (row,) = measure(labels, kind=kind, others=others).objects
        assert row["nearest_other_kind_surface_distance_um"] == 0
        assert row["nearest_other_kind_segmentation_label"] == 1
