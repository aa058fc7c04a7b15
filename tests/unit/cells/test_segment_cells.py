import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import segmentation

from cellstack.cells import segment_cells as module
from cellstack.cells.segment_cells import segment_cells
from cellstack.core.watershed import watershed
from cellstack.files.stacks import read_stack, write_stack
from segment_cells import main

SPACING = (1.0, 0.5, 0.5)
WEIGHTS = {"wall_weight": 0.2, "distance_weight": 0.15}


def two_cells(wall=1.0):
    """Two cells with a wall between them at column 15, and background from column 25 on."""
    smooth = np.zeros((5, 20, 40), np.float32)
    smooth[:, :, 15] = wall
    smooth[:, :, 25] = 1
    seeds, background = np.zeros((5, 20, 40), np.uint16), np.zeros((5, 20, 40), np.uint8)
    seeds[2, 8:12, 5:8], seeds[2, 8:12, 18:20], background[:, :, 35:] = 1, 2, 1
    return seeds, background, smooth


@pytest.mark.parametrize(
    "weights",
    [WEIGHTS, {"wall_weight": 0, "distance_weight": 0}, {"wall_weight": 1, "distance_weight": 0}],
)
def test_cells_end_at_their_walls(weights):
    seeds, background, smooth = two_cells()
    found = segment_cells(seeds, background, smooth, 2 * smooth, seeds, SPACING, **weights)
    assert (found[:, :, :15] == 1).all()
    assert (found[:, :, 16:25] == 2).all()
    assert (found[:, :, 26:] == 0).all()


def test_cells_without_a_wall_meet_half_way_between_their_nuclei():
    seeds, background, smooth = two_cells(wall=0)
    seeds[:] = 0
    seeds[2, 10, 4], seeds[2, 10, 20] = 1, 2
    found = segment_cells(seeds, background, smooth, smooth, seeds, SPACING, **WEIGHTS)
    border = (found[2, 10, :25] == 1).sum()
    assert abs(border - 12.5) <= 1


def test_cells_without_walls_consist_of_the_voxels_nearest_to_their_nucleus_in_um():
    spacing = (2.0, 0.5, 0.25)
    nuclei = np.zeros((16, 36, 60), np.uint16)
    nuclei[2, 6, 20], nuclei[13, 30, 40] = 1, 2
    nowhere, flat = np.zeros(nuclei.shape, np.uint8), np.zeros(nuclei.shape, np.float32)
    found = segment_cells(
        nuclei, nowhere, flat, flat, nuclei, spacing, wall_weight=0.2, distance_weight=1
    )

    def nearest(steps):
        places = ndimage.distance_transform_edt(
            nuclei == 0, sampling=steps, return_distances=False, return_indices=True
        )
        return nuclei[tuple(places)]

    assert (found == nearest(spacing)).mean() > 0.98
    assert (found == nearest((1, 1, 1))).mean() < 0.9


def test_the_distance_to_nuclei_is_added_to_the_membrane_with_its_weight():
    # Walls at column 8 and, twice as high, at 24; nuclei of cells at columns 2 and 40.
    smooth = np.zeros((4, 6, 48), np.float32)
    smooth[:, :, 8], smooth[:, :, 24] = 0.5, 1
    nuclei = np.zeros(smooth.shape, np.uint16)
    nuclei[:, :, 2], nuclei[:, :, 40] = 1, 2
    borders = []
    for weight in (0, 1):
        found = segment_cells(
            nuclei,
            np.zeros(smooth.shape, np.uint8),
            smooth,
            smooth,
            nuclei,
            (2.0, 0.5, 0.25),
            wall_weight=0.5,
            distance_weight=weight,
        )
        borders.append(np.count_nonzero(found[2, 3] == 1))
    assert borders[0] in (24, 25)
    assert borders[1] in (21, 22)  # halfway


def test_each_image_is_divided_by_its_standard_deviation():
    seeds, background, smooth = two_cells()
    rng = np.random.default_rng(1)
    smooth = smooth + rng.normal(0, 0.3, smooth.shape).astype(np.float32)
    ridges = rng.random(smooth.shape, np.float32)
    weights = {"wall_weight": 0.4, "distance_weight": 0.3}
    expected = segment_cells(seeds, background, smooth, ridges, seeds, (2, 0.5, 0.25), **weights)
    for factors in ((32, 1, 1), (1, 32, 1), (1, 1, 32)):
        stacks = [
            stack * np.float32(f) for stack, f in zip((smooth, ridges), factors, strict=False)
        ]
        spacing = tuple(factors[2] * step for step in (2, 0.5, 0.25))
        found = segment_cells(seeds, background, *stacks, seeds, spacing, **weights)
        assert (found == expected).mean() > 0.995, factors


def test_cells_grow_across_edges_and_corners():
    # The seed at a corner is connected to the far corner by the dark diagonal only.
    smooth = np.ones((9, 9, 9), np.float32)
    index = np.arange(9)
    smooth[index, index, index] = 0
    seeds = np.zeros(smooth.shape, np.uint16)
    seeds[0, 0, 0], seeds[8, 8, 4] = 1, 2
    nowhere = np.zeros(smooth.shape, np.uint8)
    found = segment_cells(
        seeds, nowhere, smooth, smooth, None, (2, 0.5, 0.25), wall_weight=0, distance_weight=0
    )
    assert (found[index, index, index] == 1).all()


def test_no_seeds_give_no_cells():
    empty = np.zeros((3, 4, 5), np.uint16)
    found = segment_cells(
        empty,
        np.ones((3, 4, 5), np.uint8),
        np.zeros((3, 4, 5), np.float32),
        np.zeros((3, 4, 5), np.float32),
        None,
        SPACING,
        **WEIGHTS,
    )
    assert not found.any()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_regions_cover_the_stack_and_keep_their_seeds(seed, with_background):
    rng = np.random.default_rng(seed)
    smooth = rng.random((4, 9, 8), np.float32)
    seeds = np.zeros(smooth.shape, np.uint16)
    seeds.ravel()[rng.choice(smooth.size, 4, replace=False)] = np.arange(1, 5)
    background = ((rng.random(smooth.shape) < 0.1) & (seeds == 0) & with_background).astype(
        np.uint8
    )
    found = segment_cells(seeds, background, smooth, smooth, None, SPACING, **WEIGHTS)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])
    assert not found[background > 0].any()
    assert (found > 0).all() == (not background.any())


def test_script_writes_regions(tmp_path):
    seeds, background, smooth = two_cells(wall=0)
    ridges = np.random.default_rng(0).random(smooth.shape, np.float32)
    stacks = {
        "seeds": seeds,
        "background": background,
        "membrane_smooth": smooth,
        "membrane_ridges": ridges,
        "nuclei": np.where(seeds == 1, seeds, 0),
    }
    for name, stack in stacks.items():
        write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    files = {name: tmp_path / f"{name}.tif" for name in stacks}
    found = []
    for nuclei in ([files.pop("nuclei")], []):
        weights = {"wall_weight": 0.6, "distance_weight": 0.7}
        main(**files, regions=tmp_path / "regions.tif", nuclei=nuclei, **weights)
        found.append(read_stack(tmp_path / "regions.tif")[0])
        expected = segment_cells(
            seeds,
            background,
            smooth,
            ridges,
            stacks["nuclei"] if nuclei else None,
            SPACING,
            **weights,
        )
        np.testing.assert_array_equal(found[-1], expected)
    assert (found[0] != found[1]).any()


def test_regions_end_where_there_is_no_data_except_for_seeds():
    seeds, background, smooth = two_cells()
    no_data = np.zeros(seeds.shape, bool)
    no_data[:, :10] = True
    complete = segment_cells(seeds, background, smooth, smooth, None, SPACING, **WEIGHTS)
    found = segment_cells(
        seeds, background, smooth, smooth, None, SPACING, **WEIGHTS, no_data=no_data
    )
    np.testing.assert_array_equal(found[:, 10:], complete[:, 10:])
    np.testing.assert_array_equal(found[:, :10], seeds[:, :10])


def test_wide_seeds_grow_as_in_scikit_image():
    random = np.random.default_rng(4)
    smooth = random.random((12, 24, 30), np.float32)
    seeds, background = np.zeros(smooth.shape, np.uint16), np.zeros(smooth.shape, np.uint8)
    seeds[2:9, 3:11, 4:12], seeds[4:11, 14:21, 5:13], background[:, :, 22:] = 1, 2, 1
    markers = np.where(background, 3, seeds.astype(int))
    expected = segmentation.watershed(smooth, markers, connectivity=3)
    found = segment_cells(
        seeds, background, smooth, smooth, None, SPACING, wall_weight=0, distance_weight=0
    )
    np.testing.assert_array_equal(found, np.where(expected == 3, 0, expected))


def many_cells(with_background):
    """Return seeds, background and membrane of a stack that is full of cells of 4 um."""
    spacing, shape, rng = (1.1, 0.5, 0.45), (20, 80, 90), np.random.default_rng(6)
    grid = np.indices((5, 10, 10)).reshape(3, -1).T * 4.0 + 2 + rng.normal(0, 0.3, (500, 3))
    centres = np.rint(grid / spacing).astype(int)
    centres = centres[((centres >= 0) & (centres < shape)).all(axis=1)]
    seeds = np.zeros(shape, np.uint16)
    seeds[tuple(centres.T)] = np.arange(1, len(centres) + 1)
    distance, places = ndimage.distance_transform_edt(
        seeds == 0, sampling=spacing, return_indices=True
    )
    background = np.zeros(shape, np.uint8)
    background[:, :6] = with_background
    seeds[background > 0] = 0
    owner = seeds[tuple(places)]
    walls = ndimage.grey_dilation(owner, (3, 3, 3)) != ndimage.grey_erosion(owner, (3, 3, 3))
    smooth = ndimage.gaussian_filter(walls.astype(np.float32), 1)
    return seeds, background, smooth + 0.05 * distance.astype(np.float32), spacing


@pytest.mark.parametrize("with_nuclei", [True, False])
@pytest.mark.parametrize("with_background", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_parts_give_the_regions_of_the_complete_stack(
    with_nuclei, with_background, threads, caplog, monkeypatch
):
    seeds, background, smooth, spacing = many_cells(with_background)
    images = (smooth, 2 * smooth, seeds if with_nuclei else None, spacing)
    complete = segment_cells(seeds, background, *images, **WEIGHTS)
    boxes = []

    def watershed_of_part(landscape, *arguments, **options):
        boxes.append(landscape.shape)
        return watershed(landscape, *arguments, **options)

    monkeypatch.setattr(module, "watershed", watershed_of_part)
    with caplog.at_level("INFO"):
        found = segment_cells(
            seeds, background, *images, **WEIGHTS, threads=threads, max_voxels=70_000
        )
    np.testing.assert_array_equal(found, complete)
    assert len(boxes) > 1
    assert not caplog.messages


def test_a_stack_whose_parts_disagree_is_flooded_at_once(caplog):
    seeds, background, smooth, spacing = many_cells(with_background=True)
    seeds[:, :, 40:] = 0  # a large region beside the cells
    images = (smooth, smooth, seeds, spacing)
    complete = segment_cells(seeds, background, *images, **WEIGHTS)
    with caplog.at_level("INFO"):
        found = segment_cells(seeds, background, *images, **WEIGHTS, max_voxels=70_000)
    np.testing.assert_array_equal(found, complete)
    assert caplog.messages == ["flooded at once, since parts disagreed"]
