import cc3d
import numpy as np
import pytest
from scipy import ndimage
from study import simulated

from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.cells.find_cell_seeds import METHODS, find_background, find_cell_seeds
from cellstack.errors import InputError
from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack, write_stack
from find_cell_seeds import main

SPACING = (1.0, 0.5, 0.5)
OPTIONS = {
    "minima": {"min_depth": 0.1, "noise_factor": 3},
    "distance": {"smoothing_um": 0.3, "h_um": 0.5},
}
each_method = pytest.mark.parametrize("method", METHODS)


def two_cells():
    """Membrane of two box-shaped cells side by side, 2 voxels thick, with empty space around."""
    smooth = np.zeros((20, 80, 80), np.float32)
    smooth[5:7, 30:50, 20:60] = smooth[13:15, 30:50, 20:60] = 1
    for column in (20, 39, 58):
        smooth[5:15, 30:50, column : column + 2] = 1
    smooth[5:15, 30:32, 20:60] = smooth[5:15, 48:50, 20:60] = 1
    return smooth


def find(smooth, method, **options):
    options = {"certain_strength": 1.0, "background_radius_um": 6.0, "min_wall_um3": 0.0} | options
    return find_cell_seeds(smooth, 2 * smooth, SPACING, 0.0, method, OPTIONS[method], **options)


@each_method
def test_one_seed_per_cell_and_none_outside(method):
    seeds, background = find(two_cells(), method)
    inside = np.zeros(seeds.shape, bool)
    inside[7:13, 32:48, 22:58] = True
    assert seeds.max() == 2
    assert inside[seeds > 0].all()
    assert not background[inside].any()
    assert background[:3].mean() > 0.9
    assert background[17:].mean() > 0.9
    assert background[10, 5, 5]


@each_method
def test_nuclei_are_the_first_seeds(method):
    nuclei = np.zeros((20, 80, 80), np.uint16)
    nuclei[8:11, 36:42, 46:52] = 1
    seeds, background = find(two_cells(), method, nuclei=nuclei)
    np.testing.assert_array_equal(seeds == 1, nuclei == 1)
    assert seeds.max() == 2
    assert (np.argwhere(seeds == 2)[:, 2] < 40).all()
    assert not background[nuclei > 0].any()


def test_constant_stack_has_no_seeds():
    nuclei = np.ones((4, 9, 9), np.uint16)
    seeds, background = find(np.zeros((4, 9, 9), np.float32), "minima", nuclei=nuclei)
    assert not seeds.any()
    assert background.all()


def test_minima_shallower_than_the_noise_are_ignored():
    rng = np.random.default_rng(0)
    smooth = two_cells() + rng.normal(0, 0.05, (20, 80, 80)).astype(np.float32)
    marked = [
        METHODS["minima"](smooth, None, SPACING, 0.05, min_depth=0, noise_factor=factor)
        for factor in (9, 0.1)
    ]
    few, many = (cc3d.connected_components(each.astype(np.uint8)).max() for each in marked)
    assert 3 <= few < many / 100  # two cells and the space around them


def test_small_pieces_of_wall_are_ignored_in_the_background():
    ridges = 2 * two_cells()
    ridges[1, 10, 10] = ridges[1, 60, 60] = 2
    no_nuclei = np.zeros(ridges.shape, bool)
    counted = find_background(ridges > 1, no_nuclei, SPACING, 20.0, 0.0)[1]
    ignored = find_background(ridges > 1, no_nuclei, SPACING, 20.0, 1.0)[1]
    assert ignored.all()
    assert not counted.all()


@each_method
def test_background_contains_voxels_that_can_be_noise(method):
    smooth = two_cells()
    smooth[:, 5, :] = 0.6  # a ridge strength of 1.2
    _, background = find(smooth, method)
    assert not background[10, 5, 5:75].any()
    _, background = find(smooth, method, certain_strength=1.3)
    assert background[10, 5, 5:75].all()


def test_background_is_at_least_as_wide_as_the_disc():
    ridges = 2 * two_cells()
    no_nuclei = np.zeros(ridges.shape, bool)
    assert not find_background(ridges > 1, no_nuclei, SPACING, 100.0, 0.0)[10].any()
    assert find_background(ridges > 1, no_nuclei, SPACING, 3.0, 0.0)[10, 40, 30]  # within a cell


def test_background_is_an_opening_by_discs_in_um():
    spacing, radius_um = (3.0, 0.5, 0.25), 3.0
    ridges = 2 * (np.random.default_rng(0).random((4, 60, 90)) < 0.004).astype(np.float32)
    nuclei = np.zeros(ridges.shape, bool)
    nuclei[1, 10:20, 10:40] = True
    found = find_background(ridges > 1, nuclei, spacing, radius_um, 0.0)
    for z, plane in enumerate((ridges > 1) | nuclei):
        centres = ndimage.distance_transform_edt(~plane, sampling=spacing[1:]) > radius_um
        near = ndimage.distance_transform_edt(~centres, sampling=spacing[1:]) < 0.9 * radius_um
        np.testing.assert_array_equal(found[z], near & ~plane)
        assert 0.05 < found[z].mean() < 0.95


def test_background_of_seeds_is_found_in_um():
    spacing = (3.0, 0.5, 0.25)
    ridges = 2 * (np.random.default_rng(0).random((4, 60, 90)) < 0.004).astype(np.float32)
    _, background = find_cell_seeds(
        ridges,
        ridges,
        spacing,
        0.0,
        "minima",
        OPTIONS["minima"],
        certain_strength=1.0,
        background_radius_um=3.0,
        min_wall_um3=0.3,
    )
    expected = find_background(ridges > 1, np.zeros(ridges.shape, bool), spacing, 3.0, 0.3)
    np.testing.assert_array_equal(background, expected)
    assert 0.05 < background.mean() < 0.95


def test_pieces_of_wall_are_ignored_up_to_their_volume_in_um3():
    spacing = (3.0, 0.5, 0.25)
    ridges, no_nuclei = np.zeros((3, 40, 80), np.float32), np.zeros((3, 40, 80), bool)
    ridges[1, 20, 40:44] = 2  # 4 voxels of 0.375 um3
    ridges[1, 20, 39] = 1  # not above 1
    ridges[:, :, 0] = 2
    for limit, count in ((1.49, 4), (1.51, 0)):
        found = find_background(ridges > 1, no_nuclei, spacing, 2.0, limit)
        assert np.count_nonzero(~found[1, 15:25, 30:50]) >= count
        assert found[1, 15:25, 30:50].all() == (count == 0)


def test_the_larger_of_both_minimum_depths_counts():
    smooth = np.zeros((3, 5, 9), np.float32)
    smooth[:, :, 3] = 1  # two minima, 1 deep
    smooth[:, :, 4:] = 0.2  # the second one is 0.8 deep
    for min_depth, noise_factor, count in ((0.7, 2, 2), (0.7, 9, 1), (0.9, 2, 1), (0.9, 9, 1)):
        marked = METHODS["minima"](
            smooth, None, SPACING, 0.1, min_depth=min_depth, noise_factor=noise_factor
        )
        assert cc3d.connected_components(marked.astype(np.uint8)).max() == count


def test_distance_seeds_are_counted_in_um():
    spacing = (3.0, 0.5, 0.25)
    ridges = np.zeros((7, 30, 60), np.float32)
    ridges[[0, -1]] = ridges[:, [0, -1]] = ridges[:, :, [0, -1]] = 2
    # Two halves 7.25 um wide along x, the narrowest side, with a neck of 3 um along y: the distance
    # to the wall is 3.6 um in their middle and 1.6 um in the neck.
    ridges[:, :12, 30] = ridges[:, 18:, 30] = 2
    for h_um, count in ((0.5, 2), (1.5, 2), (2.5, 1), (9.0, 1)):
        marked = METHODS["distance"](None, ridges, spacing, 0.0, smoothing_um=0.0, h_um=h_um)
        assert cc3d.connected_components(marked.astype(np.uint8)).max() == count
        assert not (marked & (ridges > 1)).any()


def test_seeds_without_a_nucleus_are_numbered_after_the_nuclei():
    nuclei = np.zeros((20, 80, 80), np.uint16)
    nuclei[8:11, 36:42, 46:52], nuclei[0, 0, 0] = 1, 2
    seeds, _ = find(two_cells(), "minima", nuclei=nuclei)
    assert np.unique(seeds).tolist() == [0, 1, 2, 3]
    assert seeds.dtype == np.uint16
    np.testing.assert_array_equal(np.where(seeds < 3, seeds, 0), nuclei)


def test_background_of_a_simulated_colony_contains_no_cells():
    colony, spacing = simulated(), (1.0, 0.4, 0.4)
    stack = (colony.membrane_image / 65535).astype(np.float32)
    stack = (stack - stack.min()) / np.percentile(stack - stack.min(), 99.5)
    smooth, ridges, record = enhance_membrane(
        stack,
        spacing,
        0.4,
        "ridges",
        {"sigma_um": 0.7},
        square_root=True,
        local_factor=2.5,
        local_sigma_um=10.0,
    )
    options = {"min_depth": 0.03, "noise_factor": 2.5}
    seeds, background = find_cell_seeds(
        smooth,
        ridges,
        spacing,
        record["noise"],
        "minima",
        options,
        certain_strength=record["certain_strength"],
        background_radius_um=11.0,
        min_wall_um3=7.0,
        nuclei=colony.nuclei_labels,
    )
    assert background.mean() > 0.1
    assert (colony.cell_labels[background > 0] > 0).mean() < 0.02
    np.testing.assert_array_equal(
        seeds[colony.nuclei_labels > 0], colony.nuclei_labels[colony.nuclei_labels > 0]
    )


def test_script_rejects_nuclei_of_another_shape_or_voxel_size(tmp_path):
    for name in ("membrane_smooth", "membrane_ridges"):
        write_stack(tmp_path / f"{name}.tif", np.zeros((3, 5, 5), np.float32), SPACING)
    write_json(tmp_path / "membrane_ridges.json", {"noise": 0.0, "certain_strength": 1.0})
    names = ("membrane_smooth", "membrane_ridges", "seeds", "background")
    for shape, spacing, word in (
        ((3, 5, 6), SPACING, "shape"),
        ((3, 5, 5), (1.0, 0.5, 0.6), "voxel size"),
    ):
        write_stack(tmp_path / "nuclei.tif", np.zeros(shape, np.uint16), spacing)
        with pytest.raises(InputError, match=word):
            main(
                **{name: tmp_path / f"{name}.tif" for name in names},
                record=tmp_path / "membrane_ridges.json",
                nuclei=[tmp_path / "nuclei.tif"],
                background_radius_um=1.0,
                background_radius_beside_nuclei_um=1.0,
                min_wall_um3=0.0,
                method="minima",
                options=OPTIONS["minima"],
            )


@pytest.mark.parametrize("with_nuclei", [False, True])
def test_script_writes_seeds_and_background(tmp_path, with_nuclei):
    smooth, nuclei = two_cells(), np.zeros((20, 80, 80), np.uint16)
    ridges, noise = 2 * smooth, 0.03
    ridges[1, 10, 10] = 2
    ridges[2, :, 70] = 1.2  # wall, but not certainly
    nuclei[8:11, 36:42, 46:52] = 1
    stacks = {"membrane_smooth": smooth, "membrane_ridges": ridges, "nuclei": nuclei}
    for name, stack in stacks.items():
        write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    write_json(tmp_path / "membrane_ridges.json", {"noise": noise, "certain_strength": 1.5})
    names = ("membrane_smooth", "membrane_ridges", "seeds", "background")
    main(
        **{name: tmp_path / f"{name}.tif" for name in names},
        record=tmp_path / "membrane_ridges.json",
        nuclei=[tmp_path / "nuclei.tif"] if with_nuclei else [],
        background_radius_um=6.0,
        background_radius_beside_nuclei_um=5.0,
        min_wall_um3=1.0,
        method="minima",
        options=OPTIONS["minima"],
    )
    expected = find_cell_seeds(
        smooth,
        ridges,
        SPACING,
        noise,
        "minima",
        OPTIONS["minima"],
        certain_strength=1.5,
        background_radius_um=5.0 if with_nuclei else 6.0,
        min_wall_um3=1.0,
        nuclei=nuclei if with_nuclei else None,
    )
    for name, stack in zip(("seeds", "background"), expected, strict=True):
        found, spacing = read_stack(tmp_path / f"{name}.tif")
        np.testing.assert_array_equal(found, stack)
        assert spacing == SPACING


@each_method
def test_there_are_neither_seeds_nor_background_without_data(method):
    no_data = np.zeros((20, 80, 80), bool)
    no_data[:, :, 30:] = True
    seeds, background = find(two_cells(), method, no_data=no_data)
    assert seeds.max() == 1
    assert not seeds[no_data].any()
    assert not background[no_data].any()
    assert background[10, 5, 5]
