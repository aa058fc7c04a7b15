import cc3d
import numpy as np
import pytest
from study import simulated

from cellstack import enhance_membrane, io, whole_files
from cellstack.errors import InputError
from cellstack.find_cell_seeds import METHODS, find_background, find_cell_seeds
from find_cell_seeds import main

SPACING = (1.0, 0.5, 0.5)
OPTIONS = {"minima": {"min_depth": 0.1, "noise_factor": 3}, "distance": {"smoothing_um": 0.3, "h_um": 0.5}}
each_method = pytest.mark.parametrize("method", METHODS)


def rooms():
    """Two rooms side by side between two floors, with nothing above, below and around; walls are 2 voxels thick."""
    smooth = np.zeros((20, 80, 80), np.float32)
    smooth[5:7, 30:50, 20:60] = smooth[13:15, 30:50, 20:60] = 1
    for column in (20, 39, 58):
        smooth[5:15, 30:50, column : column + 2] = 1
    smooth[5:15, 30:32, 20:60] = smooth[5:15, 48:50, 20:60] = 1
    return smooth


def find(smooth, method, **options):
    options = {"background_radius_um": 6.0, "min_wall_um3": 0.0} | options
    return find_cell_seeds(smooth, 2 * smooth, SPACING, 0.0, method, OPTIONS[method], **options)


@each_method
def test_one_seed_per_room_and_none_outside(method):
    seeds, background = find(rooms(), method)
    inside = np.zeros(seeds.shape, bool)
    inside[7:13, 32:48, 22:58] = True
    assert seeds.max() == 2
    assert inside[seeds > 0].all()
    assert not background[inside].any()
    assert background[:3].mean() > 0.9
    assert background[17:].mean() > 0.9
    assert background[10, 5, 5]


@each_method
def test_nuclei_are_seeds_as_wholes_and_first(method):
    nuclei = np.zeros((20, 80, 80), np.uint16)
    nuclei[8:11, 36:42, 46:52] = 1
    seeds, background = find(rooms(), method, nuclei=nuclei)
    np.testing.assert_array_equal(seeds == 1, nuclei == 1)
    assert seeds.max() == 2
    assert (np.argwhere(seeds == 2)[:, 2] < 40).all()
    assert not background[nuclei > 0].any()


def test_nothing_varies_no_seeds():
    nuclei = np.ones((4, 9, 9), np.uint16)
    seeds, background = find(np.zeros((4, 9, 9), np.float32), "minima", nuclei=nuclei)
    assert not seeds.any()
    assert background.all()


def test_minima_are_deeper_than_the_noise():
    rng = np.random.default_rng(0)
    smooth = rooms() + rng.normal(0, 0.05, (20, 80, 80)).astype(np.float32)
    marked = [METHODS["minima"](smooth, None, SPACING, 0.05, min_depth=0, noise_factor=factor) for factor in (9, 0.1)]
    few, many = (cc3d.connected_components(each.astype(np.uint8)).max() for each in marked)
    assert 3 <= few < many / 100  # two rooms and what is around them


def test_specks_do_not_hide_the_background():
    walls = 2 * rooms()
    walls[1, 10, 10] = walls[1, 60, 60] = 2
    none = np.zeros(walls.shape, bool)
    with_specks = find_background(walls, none, SPACING, 20.0, 0.0)[1]
    without = find_background(walls, none, SPACING, 20.0, 1.0)[1]
    assert without.all()
    assert not with_specks.all()


def test_a_disc_must_fit():
    walls = 2 * rooms()
    none = np.zeros(walls.shape, bool)
    assert not find_background(walls, none, SPACING, 100.0, 0.0)[10].any()
    assert find_background(walls, none, SPACING, 3.0, 0.0)[10, 40, 30]  # a room is wider than that


def test_a_colony_keeps_its_cells():
    colony, spacing = simulated(), (1.0, 0.4, 0.4)
    stack = (colony.membrane_image / 65535).astype(np.float32)
    stack = (stack - stack.min()) / np.percentile(stack - stack.min(), 99.5)
    smooth, walls, record = enhance_membrane.enhance_membrane(stack, spacing, 0.4, "ridges", {"sigma_um": 0.7})
    options = {"min_depth": 0.03, "noise_factor": 2.5}
    seeds, background = find_cell_seeds(
        smooth,
        walls,
        spacing,
        record["noise"],
        "minima",
        options,
        background_radius_um=11.0,
        min_wall_um3=7.0,
        nuclei=colony.nuclei_labels,
    )
    assert background.mean() > 0.1
    assert (colony.cell_labels[background > 0] > 0).mean() < 0.02
    np.testing.assert_array_equal(seeds[colony.nuclei_labels > 0], colony.nuclei_labels[colony.nuclei_labels > 0])


def test_script_refuses_nuclei_on_another_grid(tmp_path):
    for name in ("smooth", "walls"):
        io.write_stack(tmp_path / f"{name}.tif", np.zeros((3, 5, 5), np.float32), SPACING)
    whole_files.write_json(tmp_path / "walls.json", {"noise": 0.0, "threshold": 0.0})
    names = ("smooth", "walls", "seeds", "background")
    for shape, spacing, word in (((3, 5, 6), SPACING, "shape"), ((3, 5, 5), (1.0, 0.5, 0.6), "voxel size")):
        io.write_stack(tmp_path / "nuclei.tif", np.zeros(shape, np.uint16), spacing)
        with pytest.raises(InputError, match=word):
            main(
                **{name: tmp_path / f"{name}.tif" for name in names},
                record=tmp_path / "walls.json",
                nuclei=[tmp_path / "nuclei.tif"],
                background_radius_um=1.0,
                background_radius_beside_nuclei_um=1.0,
                min_wall_um3=0.0,
                method="minima",
                options=OPTIONS["minima"],
            )
