"""Regions of objects, their distance to the surface of the tissue, volumes and densities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from labels import LABELS
from scipy import ndimage

from cellstack.core.counting_frame import count_in_frame, place_frame
from cellstack.tissue.measure_regions import (
    OUTSIDE_REGIONS,
    OUTSIDE_TISSUE,
    REGION,
    TISSUE,
    assign_regions,
    describe_regions,
    locate_in_tissue,
)

SPACINGS = [(0.5, 0.45, 0.4), (2.0, 0.5, 0.4), (4.0, 0.5, 0.4)]
REGIONS = arrays("uint16", (2, 3, 5), elements=st.sampled_from([0, 0, 4, 9]))


def positions_um(shape, spacing):
    return [axis * step for axis, step in zip(np.indices(shape), spacing, strict=True)]


def scattered(shape, count, seed=0):
    """Return labels of boxes of 2 x 3 x 3 voxels that do not overlap."""
    rng = np.random.default_rng(seed)
    labels, label = np.zeros(shape, np.uint16), 0
    while label < count:
        z, y, x = (rng.integers(0, size - 3) for size in shape)
        part = labels[z : z + 2, y : y + 3, x : x + 3]
        if not part.any():
            label += 1
            part[...] = label
    return labels


def centre_voxels(labels):
    indices = range(1, labels.max() + 1)
    centres = ndimage.center_of_mass(labels > 0, labels, indices)
    return np.floor(np.array(centres) + 0.5).astype(int)


@given(labels=LABELS, regions=REGIONS)
def test_regions_by_counting_voxels_one_by_one(labels, regions):
    found = assign_regions(labels, regions)
    assert len(found) == labels.max()
    for label, region in enumerate(found, 1):
        places = [place for place in np.ndindex(labels.shape) if labels[place] == label]
        centre = tuple(np.floor(np.mean(places, axis=0) + 0.5).astype(int))
        votes = [int(regions[place]) for place in places]
        inside = sorted(set(votes) - {0})
        expected = int(regions[centre])
        if not expected and inside:
            expected = max(inside, key=lambda each: (votes.count(each), -each))
        assert region.label == expected
        share = votes.count(expected) / len(votes) if expected else None
        assert region.fraction == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_distances_are_those_of_scipy(spacing):
    shape = (14, 40, 44)
    tissue = (ndimage.gaussian_filter(np.random.default_rng(1).random(shape), 3) > 0.5).astype("u1")
    labels = scattered(shape, 60)
    at = tuple(centre_voxels(labels).T)

    def edt(mask):
        return ndimage.distance_transform_edt(mask, sampling=spacing)

    expected = np.where(tissue[at] > 0, edt(tissue)[at], -edt(1 - tissue)[at])
    # space beyond the faces as the other phase
    nearest = np.where(
        tissue[at] > 0,
        edt(np.pad(tissue, 1))[1:-1, 1:-1, 1:-1][at],
        edt(np.pad(1 - tissue, 1))[1:-1, 1:-1, 1:-1][at],
    )
    found = locate_in_tissue(labels, tissue, spacing)
    np.testing.assert_allclose([each.distance_um for each in found], expected, rtol=1e-5)
    beyond = nearest < np.abs(expected) * (1 - 1e-6)
    assert [each.is_beyond_face for each in found] == beyond.tolist()
    assert beyond.any() and not beyond.all() and (expected < 0).any()
    for label, each in enumerate(found, 1):
        assert each.fraction == pytest.approx(tissue[labels == label].mean())


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_distance_in_a_ball_of_tissue_is_radius_minus_distance_to_its_centre(spacing):
    shape = tuple(int(44 / step) for step in spacing)
    z, y, x = positions_um(shape, spacing)
    to_centre = np.sqrt((z - 20) ** 2 + (y - 21) ** 2 + (x - 22) ** 2)
    tissue = (to_centre < 18).astype(np.uint8)
    labels = scattered(shape, 80)
    at = tuple(centre_voxels(labels).T)
    found = np.array([each.distance_um for each in locate_in_tissue(labels, tissue, spacing)])
    np.testing.assert_allclose(found, (18 - to_centre)[at], atol=max(spacing) + 0.1)
    assert found.max() > 8 and found.min() < -3


def test_a_slab_of_tissue_that_reaches_the_faces():
    spacing = (2.0, 0.5, 0.4)
    tissue = np.zeros((12, 20, 20), np.uint8)
    tissue[3:] = 1  # surface at the third plane, and unknown beyond the last one
    labels = np.zeros(tissue.shape, np.uint16)
    for label, z in enumerate((0, 4, 6, 11), 1):
        labels[z, 8:11, 8:11] = label
    found = locate_in_tissue(labels, tissue, spacing)
    assert [each.distance_um for each in found] == [-6.0, 4.0, 8.0, 18.0]
    # the columns of the centre begin 9 x 0.4 um from a face: 9 voxels and the one beyond
    faces = [10 * 0.4] * 4
    beyond = [face < abs(each.distance_um) for face, each in zip(faces, found, strict=True)]
    assert [each.is_beyond_face for each in found] == beyond == [True, False, True, True]
    assert [each.depth_um for each in found] == [-6.0, 2.0, 6.0, 16.0]
    assert [each.fraction for each in found] == [0.0, 1.0, 1.0, 1.0]


def test_tissue_without_surface_and_stacks_without_tissue():
    labels = scattered((6, 12, 14), 3)
    for tissue in (np.ones(labels.shape, np.uint8), np.zeros(labels.shape, np.uint8)):
        for each in locate_in_tissue(labels, tissue, (1.0, 0.5, 0.4)):
            assert each.distance_um is None
            assert each.is_beyond_face
            assert each.fraction == tissue[0, 0, 0]
            assert (each.depth_um is None) == (not tissue.any())
    nothing = np.zeros(labels.shape, np.uint16)
    assert locate_in_tissue(nothing, tissue, (1.0, 0.5, 0.4)) == []
    assert assign_regions(nothing, nothing) == []


def test_a_stack_of_one_plane_has_distances_in_the_plane():
    tissue = np.zeros((1, 30, 40), np.uint8)
    tissue[:, 5:25, 5:35] = 1
    labels = np.zeros(tissue.shape, np.uint16)
    labels[0, 9:12, 19:22] = 1
    (found,) = locate_in_tissue(labels, tissue, (2.0, 0.5, 0.4))
    assert found.distance_um == pytest.approx(6 * 0.5)
    assert not found.is_beyond_face
    (row, _) = describe_regions(None, tissue, None, (2, 0.5, 0.4), np.s_[0:1, 0:30, 0:40], {}, [])
    assert row["density_per_mm3"] is None


def test_volumes_and_counts_of_each_part():
    spacing = (2.0, 0.5, 0.4)
    voxel = 0.4
    regions = np.zeros((4, 10, 10), np.uint32)
    regions[:, :, :5] = 1
    regions[:, :5, 5:] = 614454277  # as in the Allen atlas
    tissue = np.ones(regions.shape, np.uint8)
    tissue[0] = 0
    no_data = np.zeros(regions.shape, bool)
    no_data[..., 9:] = True
    frame = np.s_[0:4, 1:10, 1:10]
    objects = [
        {"region_label": 1, "tissue_fraction": 1.0, "measured": True, "counted": True},
        {"region_label": 1, "tissue_fraction": 0.5, "measured": False, "counted": True},
        {"region_label": 1, "tissue_fraction": 0.4, "measured": True, "counted": True},
        {"region_label": 614454277, "tissue_fraction": 1.0, "measured": True, "counted": False},
        {"region_label": 0, "tissue_fraction": 0.9, "measured": False, "counted": True},
    ]
    names = {"1": "cortex", "3": "absent"}
    rows = describe_regions(regions, tissue, no_data, spacing, frame, names, objects)
    assert [(row["part"], row["region_label"], row["region_name"]) for row in rows] == [
        (TISSUE, "", ""),
        (OUTSIDE_TISSUE, "", ""),
        (REGION, 1, "cortex"),
        (REGION, 3, "absent"),
        (REGION, 614454277, "614454277"),
        (OUTSIDE_REGIONS, "", ""),
    ]
    known = [270, 90, 150, 0, 60, 60]  # voxels; the last column has no data
    framed = [3 * 9 * 8, 9 * 8, 3 * 9 * 4, 0, 3 * 4 * 4, 3 * 5 * 4]
    for row, voxels, in_frame in zip(rows, known, framed, strict=True):
        assert row["volume_um3"] == pytest.approx(voxels * voxel)
        assert row["volume_mm3"] == pytest.approx(voxels * voxel * 1e-9)
        assert row["volume_in_frame_um3"] == pytest.approx(in_frame * voxel)
    assert [row["count_found"] for row in rows] == [4, 1, 2, 0, 1, 1]
    assert [row["count_measured"] for row in rows] == [2, 1, 1, 0, 1, 0]
    assert [row["count_in_frame"] for row in rows] == [3, 1, 2, 0, 0, 1]
    assert rows[0]["density_per_mm3"] == pytest.approx(3 / (216 * voxel * 1e-9))
    assert rows[3]["density_per_mm3"] is None
    alone = describe_regions(regions, None, None, spacing, frame, {}, objects)
    assert [row["volume_um3"] for row in alone] == pytest.approx([200 * voxel, 100 * voxel, 40.0])
    assert alone[0]["count_found"] == 2  # without a tissue, its fraction is not asked


@pytest.mark.slow
def test_the_density_of_a_known_field_is_not_biased_in_tiles():
    """Tiles of a field of balls in one region: the mean density is that of the field."""
    rng = np.random.default_rng(5)
    spacing, shape, radius = (1.0, 0.5, 0.5), (40, 160, 160), 2.5
    labels, count = np.zeros(shape, np.uint16), 0
    z, y, x = positions_um(shape, spacing)
    while count < 150:  # of 40 x 80 x 80 um
        c = rng.uniform((0, 0, 0), (40, 80, 80))
        inside = (
            sum(  # on a torus, so that the density is the same everywhere
                (np.minimum(abs(a - b), size - abs(a - b))) ** 2
                for a, b, size in zip((z, y, x), c, (40, 80, 80), strict=True)
            )
            < radius**2
        )
        if not labels[inside].any():
            count += 1
            labels[inside] = count
    wrapped = np.pad(labels, ((0, 10), (0, 20), (0, 20)), mode="wrap")
    faces = ["first_plane", "first_row", "first_column"]
    counts, volumes, naive = 0, 0.0, 0
    for corner in np.ndindex(2, 2, 2):
        # frames of 20 x 80 x 80 voxels, with one layer before and a guard zone after them
        starts = np.multiply(corner, (20, 80, 80))
        stops = np.add(starts, (27, 93, 93))
        tile = wrapped[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))]
        _, part = np.unique(np.append(0, tile), return_inverse=True)
        part = part[1:].reshape(tile.shape).astype(np.uint16)
        frame = place_frame(part.shape, spacing, faces, 6.0)
        counted = count_in_frame(part, frame)
        region = np.ones(part.shape, np.uint16)
        objects = [
            {"region_label": 1, "measured": True, "counted": each} for each in counted.tolist()
        ]
        row = describe_regions(region, None, None, spacing, frame, {}, objects)[0]
        counts += row["count_in_frame"]
        volumes += row["volume_in_frame_um3"]
        naive += len(np.unique(part[frame])) - 1
        assert row["density_per_mm3"] == pytest.approx(
            row["count_in_frame"] / row["volume_in_frame_um3"] * 1e9
        )
    assert volumes == pytest.approx(40 * 80 * 80)
    assert counts == count
    assert naive > 1.2 * count  # all objects that reach a frame
