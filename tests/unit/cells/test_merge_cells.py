import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels import contacts_by_loop

from cellstack.cells.merge_cells import merge_cells
from cellstack.files.stacks import read_stack, write_stack
from merge_cells import main

SPACING = (1.0, 0.5, 0.5)
OPTIONS = {
    "min_wall_strength": 0.5,
    "min_contact_fraction": 0.2,
    "min_solidity": 0.7,
    "min_solidity_without_nucleus": 0.7,
    "min_volume_um3": 0,
    "min_volume_without_nucleus_um3": 0,
}


def row_of_regions(*walls, inside=0.0):
    """Regions 1..n of 10 columns in a row, with walls of the given strengths between them."""
    labels = (
        np.repeat(np.arange(len(walls) + 1, dtype=np.uint16) + 1, 10)[None, None]
        .repeat(4, 0)
        .repeat(8, 1)
    )
    strength = np.zeros(labels.shape, np.float32)
    for place, wall in enumerate(walls, 1):
        strength[:, :, 10 * place - 1 : 10 * place + 1] = wall
    return labels, strength, np.full(labels.shape, inside, np.float32)


def merge(labels, ridges, smooth, nuclei=0, **options):
    before = [each.copy() for each in (labels, ridges, smooth)]
    merged = merge_cells(labels, ridges, smooth, SPACING, nuclei, **(OPTIONS | options))
    for was, now in zip(before, (labels, ridges, smooth), strict=True):
        np.testing.assert_array_equal(now, was)
    return merged.labels[0, 0, 5::10].tolist()


def test_regions_without_a_wall_are_merged():
    assert merge(*row_of_regions(2, 0.1, 2)) == [1, 2, 2, 3]
    assert merge(*row_of_regions(0.1, 0.1, 0.1)) == [1, 1, 1, 1]
    assert merge(*row_of_regions(2, 2)) == [1, 2, 3]


def test_regions_with_nuclei_are_not_merged():
    assert merge(*row_of_regions(0.1, 0.1), nuclei=3) == [1, 2, 3]
    assert merge(*row_of_regions(0.1, 0.4, 0.1), nuclei=2) == [1, 2, 2, 2]


def test_regions_with_nuclei_are_not_merged_with_the_background():
    labels, ridges, smooth = row_of_regions(0.1, 0.1)
    labels[labels == 3] = 0
    assert merge(labels, ridges, smooth, nuclei=2) == [1, 2, 0]


def test_small_contacts_are_ignored():
    labels = np.zeros((4, 20, 20), np.uint16)
    labels[:, :10], labels[:, 10:, :9], labels[:, 10:, 9:] = 1, 2, 3
    labels[:, :10, 10:] = 4
    ridges = np.full(labels.shape, 2, np.float32)
    ridges[:, 9:11, 9] = 0  # where 3 touches 1 by a single column of voxels
    merged = merge_cells(labels, ridges, np.zeros_like(ridges), SPACING, 0, **OPTIONS)
    assert len(np.unique(merged.labels)) == 4
    merged = merge_cells(
        labels, ridges, np.zeros_like(ridges), SPACING, 0, **(OPTIONS | {"min_contact_fraction": 0})
    )
    assert len(np.unique(merged.labels)) == 3


@pytest.mark.parametrize("nuclei", [0, 4])
def test_space_between_round_cells_is_background(nuclei):
    z, y, x = np.ogrid[:6, :40, :40]
    labels = np.full((6, 40, 40), 5, np.uint16)
    for number, (row, column) in enumerate([(10, 10), (10, 30), (30, 10), (30, 30)], 1):
        labels[((y - row) ** 2 + (x - column) ** 2 < 100) & (z >= 0)] = number
    labels[:, [0, -1]] = labels[:, :, [0, -1]] = 0
    ridges = np.full(labels.shape, 2, np.float32)

    def count(**options):
        return merge_cells(
            labels, ridges, np.zeros_like(ridges), SPACING, nuclei, **(OPTIONS | options)
        ).labels.max()

    assert count() == 4
    names = ("min_solidity_without_nucleus", "min_solidity")
    used, other = names if nuclei else names[::-1]
    assert count(**{used: 0}) == 5
    assert count(**{other: 0}) == 4


def test_a_hollow_region_with_a_nucleus_and_a_convex_one_without_are_cells():
    labels = np.ones((4, 20, 20), np.uint16)
    labels[:, 5:15, 5:15] = 2  # encloses nothing, and is enclosed by the hollow region
    ridges, smooth = np.full(labels.shape, 2, np.float32), np.zeros(labels.shape, np.float32)
    merged = merge_cells(labels, ridges, smooth, SPACING, 1, **OPTIONS)
    assert merged.labels[0, ::7, 7].tolist() == [1, 2, 2]
    assert merged.counts["background_by_shape"] == 0


def test_dark_regions_without_nucleus_are_background():
    labels, ridges, smooth = row_of_regions(2, 2, 2)
    labels = np.take(
        np.array([0, 1, 3, 2, 4], np.uint16), labels
    )  # the second and the last have no nucleus
    smooth[labels <= 2] = 0.3
    smooth[labels == 3], smooth[labels == 4] = 0.1, 0.5
    merged = merge_cells(labels, ridges, smooth, SPACING, 2, **OPTIONS)
    assert merged.labels[0, 0, 5::10].tolist() == [1, 0, 2, 3]
    assert merged.counts["background_by_intensity"] == 1
    assert merged.counts["cells_without_nucleus"] == 1


def test_small_regions_are_merged_across_the_weakest_wall():
    labels, ridges, smooth = row_of_regions(2, 1.5)
    labels[:, :, 10:12] = 2
    labels[:, :, 12:] = 3
    ridges[:, :, 9:11], ridges[:, :, 11:13] = 2, 1.5
    volume = float(np.prod(SPACING))
    size = int((labels == 2).sum())
    assert (
        merge_cells(
            labels, ridges, smooth, SPACING, 0, **(OPTIONS | {"min_volume_um3": size * volume})
        ).labels.max()
        == 3
    )
    joined = merge_cells(
        labels, ridges, smooth, SPACING, 0, **(OPTIONS | {"min_volume_um3": (size + 1) * volume})
    ).labels
    assert joined[0, 0].tolist() == [1] * 10 + [2] * 20
    kept = merge_cells(
        labels, ridges, smooth, SPACING, 2, **(OPTIONS | {"min_volume_without_nucleus_um3": 1e9})
    ).labels
    assert kept.max() == 2  # regions with nuclei are kept at any size


def test_empty_stack_has_no_cells():
    empty = np.zeros((3, 4, 5), np.uint16)
    merged = merge_cells(
        empty,
        np.zeros(empty.shape, np.float32),
        np.zeros(empty.shape, np.float32),
        SPACING,
        0,
        **OPTIONS,
    )
    assert not merged.labels.any()


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.floats(0, 2))
def test_cells_are_unions_of_regions(seed, nuclei, min_wall_strength):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 7, (3, 4, 4)).astype(np.uint16).repeat(2, 1).repeat(2, 2)
    labels.ravel()[:7] = np.arange(7)
    ridges, smooth = rng.random(labels.shape, np.float32) * 2, rng.random(labels.shape, np.float32)
    found = merge_cells(
        labels,
        ridges,
        smooth,
        SPACING,
        nuclei,
        **(OPTIONS | {"min_wall_strength": min_wall_strength}),
    ).labels
    assert np.unique(found[found > 0]).tolist() == list(range(1, found.max() + 1))
    for label in range(7):
        assert len(np.unique(found[labels == label])) == 1
    for label in range(nuclei + 1):
        assert (found[labels == label] == label).all()


@pytest.mark.parametrize("nuclei", [0, 3])
def test_result_does_not_depend_on_the_order_of_regions_without_nucleus(nuclei):
    rng = np.random.default_rng(5)
    labels = rng.integers(1, 9, (3, 5, 5)).astype(np.uint16).repeat(2, 1).repeat(2, 2)
    ridges, smooth = rng.random(labels.shape, np.float32), rng.random(labels.shape, np.float32)
    order = np.concatenate(
        [np.arange(nuclei + 1), nuclei + 1 + rng.permutation(8 - nuclei)]
    ).astype(np.uint16)
    ours = merge_cells(labels, ridges, smooth, SPACING, nuclei, **OPTIONS).labels
    theirs = merge_cells(order[labels], ridges, smooth, SPACING, nuclei, **OPTIONS).labels
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1).T
    assert len(pairs) == len(np.unique(ours)) == len(np.unique(theirs))


@pytest.mark.parametrize("seed", range(4))
def test_strength_of_a_wall_is_weighted_by_the_area_of_its_faces(seed):
    spacing = (2.0, 0.5, 0.25)
    rng = np.random.default_rng(seed)
    labels = np.ones((4, 6, 7), np.uint16)
    labels[2:, 2:], labels[0, 0, :3] = 2, 2  # they touch along z, y and x
    ridges = rng.random(labels.shape, np.float32)
    ridges[1] *= 4  # walls across z differ from those across y and x
    ((pair, (_, strength)),) = contacts_by_loop(labels, ridges, spacing).items()
    assert pair == (1, 2)
    for limit, count in ((0.999 * strength, 2), (1.001 * strength, 1)):
        options = OPTIONS | {"min_wall_strength": limit}
        found = merge_cells(labels, ridges, np.zeros_like(ridges), spacing, 0, **options)
        assert found.labels.max() == count


def test_united_walls_have_the_mean_strength_by_area():
    # 1 and 2 have no wall; 3 touches 1 on 3 columns with strength 0.2 and 2 on 1 with 1.8: 0.6.
    labels = np.zeros((2, 6, 4), np.uint16)
    labels[:, :3, :3], labels[:, :3, 3:], labels[:, 3:] = 1, 2, 3
    ridges = np.zeros(labels.shape, np.float32)
    ridges[:, 3, :3], ridges[:, 3, 3] = 0.2, 1.8
    for limit, expected in ((0.59, 2), (0.61, 1)):
        options = OPTIONS | {"min_wall_strength": limit, "min_contact_fraction": 0}
        merged = merge_cells(labels, ridges, ridges, SPACING, 0, **options)
        assert merged.labels.max() == expected


def test_contact_may_be_a_small_part_of_one_of_the_two_regions():
    # Region 2 has one neighbour, 1, of whose contacts this is a twentieth.
    labels = np.full((3, 20, 20), 3, np.uint16)
    labels[:, :, :10] = 1
    labels[:, 9:11, :1] = 2
    ridges = np.full(labels.shape, 2, np.float32)
    ridges[:, 7:13, :3] = 0
    areas = {pair: area for pair, (area, _) in contacts_by_loop(labels, ridges, SPACING).items()}
    assert areas[1, 2] < 0.25 * areas[1, 3]
    options = OPTIONS | {"min_contact_fraction": 0.9}
    merged = merge_cells(labels, ridges, np.zeros_like(ridges), SPACING, 0, **options)
    np.testing.assert_array_equal(merged.labels, np.where(labels == 3, 2, 1))


def test_counts_of_changes():
    labels, ridges, smooth = row_of_regions(2, 0.1, 2, 2)
    labels[:, :, 40:48], ridges[:, :, 38:] = 4, 2
    merged = merge_cells(
        labels, ridges, smooth, SPACING, 0, **(OPTIONS | {"min_volume_um3": 10 * 32 * 0.25})
    )
    assert merged.counts == {
        "regions": 5,
        "merged_without_wall": 1,
        "background_by_intensity": 0,
        "background_by_shape": 0,
        "merged_by_size": 1,
        "cells_with_nucleus": 0,
        "cells_without_nucleus": 3,
    }
    assert merged.labels.dtype == np.uint16


def test_dark_is_below_the_median_of_the_cells_around_in_the_interior():
    # Region 4 has the neighbours 1, 2 and 3, with interiors 0.1, 0.5 and 0.6.
    labels = np.zeros((4, 9, 30), np.uint16)
    for number, columns in ((1, np.s_[:10]), (2, np.s_[10:20]), (3, np.s_[20:])):
        labels[:, :5, columns] = number
    labels[:, 5:] = 4
    inside = np.array([0, 0.1, 0.5, 0.6, 0])
    ridges = np.full(labels.shape, 2, np.float32)
    for own, count in ((0.49, 3), (0.51, 4)):
        inside[4] = own
        smooth = inside[labels].astype(np.float32)
        smooth[:, ::2] = 0.95  # walls, which are half of each region
        merged = merge_cells(labels, ridges, smooth, SPACING, 3, **OPTIONS)
        assert merged.labels.max() == count
        assert merged.counts["background_by_intensity"] == 4 - count


def test_cells_without_a_nucleus_are_numbered_by_their_first_region():
    labels = np.zeros((2, 4, 12), np.uint16)
    labels[:, :, :4], labels[:, :, 4:8], labels[:, :, 8:] = 1, 2, 3
    labels[:, 0] = 1  # touches 3 without a wall
    ridges = np.full(labels.shape, 2, np.float32)
    ridges[:, :2, 8:] = 0
    options = OPTIONS | {"min_contact_fraction": 0}
    merged = merge_cells(labels, ridges, ridges, SPACING, 0, **options).labels
    np.testing.assert_array_equal(merged, np.where(labels == 2, 2, 1))


def test_a_wall_keeps_its_strength_when_a_region_behind_it_is_merged():
    # 1 and 2 have no wall; the wall between 2 and 3, which 1 does not touch, has strength 0.4.
    labels, ridges, smooth = row_of_regions(0.1, 0.4)
    for limit, expected in ((0.39, [1, 1, 2]), (0.41, [1, 1, 1])):
        assert merge(labels, ridges, smooth, min_wall_strength=limit) == expected


def test_regions_without_nucleus_join_the_cell_across_the_weakest_wall():
    # In stacks with nuclei the limit for regions without one applies.
    labels, ridges, smooth = row_of_regions(2, 1.5)
    labels = np.array([0, 1, 3, 2], np.uint16)[labels]
    volume = 10 * 32 * float(np.prod(SPACING))
    for factor, expected in ((0.99, [1, 3, 2]), (1.01, [1, 2, 2])):
        limits = {"min_volume_um3": 1e9, "min_volume_without_nucleus_um3": factor * volume}
        assert merge(labels, ridges, smooth, nuclei=2, **limits) == expected


def test_script_writes_cells(tmp_path):
    labels, ridges, _ = row_of_regions(0.1, 0.1, 2)
    smooth = np.where(labels == 4, 0.1, 0.5).astype(np.float32)
    nuclei = np.zeros_like(labels)
    nuclei[1, 4, 5], nuclei[1, 4, 15] = 1, 2
    stacks = {
        "regions": labels,
        "membrane_ridges": ridges,
        "membrane_smooth": smooth,
        "nuclei": nuclei,
    }
    for name, stack in stacks.items():
        write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    files = {name: tmp_path / f"{name}.tif" for name in stacks}
    paths = [files.pop("nuclei")]
    for with_nuclei, expected in ((paths, [1, 2, 2, 0]), ([], [1, 1, 1, 2])):
        main(**files, nuclei=with_nuclei, segmentation=tmp_path / "segmentation.tif", **OPTIONS)
        found, spacing = read_stack(tmp_path / "segmentation.tif")
        assert found[0, 0, 5::10].tolist() == expected
        assert spacing == SPACING


def test_intensities_of_regions_of_two_voxels():
    labels = np.repeat(np.array([1, 2], np.uint16), (10, 2))[None, None]
    ridges = np.full(labels.shape, 2, np.float32)
    for own, count in ((0.9, 2), (0.3, 1)):
        smooth = np.float32([[[0.5] * 8 + [0.4] * 2 + [own] * 2]])
        assert merge_cells(labels, ridges, smooth, SPACING, 1, **OPTIONS).labels.max() == count
