import numpy as np
import pytest

from cellstack.cells.measure_pairs import find_owners, flag_pairs, measure_pairs, measure_parts
from cellstack.core.labels import find_boxes
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows
from measure_pairs import main

SPACING = (1.0, 0.5, 0.25)


def cell_with_nucleus():
    """A box of 8 x 20 x 40 voxels that contains one of 4 x 10 x 20, 10 columns off its centre."""
    cells, nuclei = np.zeros((12, 30, 60), np.uint16), np.zeros((12, 30, 60), np.uint16)
    cells[2:10, 5:25, 10:50] = 1
    nuclei[4:8, 10:20, 10 + 20 : 10 + 40 - 1] = 1
    return cells, nuclei


def measure(cells, nuclei):
    return measure_pairs(cells, find_boxes(cells), nuclei, find_owners(cells, nuclei), SPACING)


def test_nucleus_away_from_the_centre():
    cells, nuclei = cell_with_nucleus()
    (row,) = measure(cells, nuclei)
    assert row["nuclei_count"] == 1
    assert row["nucleus_segmentation_label"] == 1
    assert row["nucleus_volume_um3"] == pytest.approx(4 * 10 * 19 * np.prod(SPACING))
    assert row["nucleus_to_cell_volume_ratio"] == pytest.approx(4 * 10 * 19 / (8 * 20 * 40))
    assert row["nucleus_offset_um"] == pytest.approx(
        10 * 0.25 - 0.5 * 0.25 + 0.125 - 0.125, abs=1e-9
    )
    assert row["nucleus_wall_distance_min_um"] == pytest.approx(
        2 * 0.25
    )  # one column of the cell is left after it


def test_mean_distance_to_the_wall():
    cells, nuclei = np.zeros((3, 3, 30), np.uint16), np.zeros((3, 3, 30), np.uint16)
    cells[:, :, 5:25], nuclei[:, :, 10:13] = 1, 1  # 6, 7 and 8 columns from the next column outside
    (row,) = measure(cells, nuclei)
    assert row["nucleus_wall_distance_mean_um"] == pytest.approx(7 * 0.25)


def test_faces_of_the_stack_are_not_walls():
    cells, nuclei = cell_with_nucleus()
    cells, nuclei = cells[4:8, :, 10:50], nuclei[4:8, :, 10:50]
    (row,) = measure(cells, nuclei)
    assert row["nucleus_wall_distance_min_um"] == pytest.approx(6 * 0.5)


def test_cell_without_nucleus_and_cell_with_two():
    cells, nuclei = cell_with_nucleus()
    cells[2:10, 5:25, 30:50] = 2
    nuclei[:] = 0
    nuclei[4, 10, 32:34], nuclei[5, 12, 40] = 1, 2
    without, two = measure(cells, nuclei)
    assert without == {"nuclei_count": 0}
    assert (two["nuclei_count"], two["nucleus_segmentation_label"]) == (2, 1)
    assert two["nucleus_volume_um3"] == pytest.approx(3 * np.prod(SPACING))


def test_nucleus_belongs_to_the_cell_that_contains_more_than_half_of_it():
    cells = np.zeros((1, 1, 20), np.uint16)
    cells[..., :10], cells[..., 10:15] = 1, 2
    nuclei = np.zeros((1, 1, 20), np.uint16)
    nuclei[..., 8:11], nuclei[..., 13:17] = 1, 2
    assert find_owners(cells, nuclei).tolist() == [0, 1, 0]


def test_empty_stack_has_no_owners():
    empty = np.zeros((2, 3, 4), np.uint16)
    assert find_owners(empty, empty).tolist() == [0]
    assert measure(empty, empty) == []


def test_intensities_of_nucleus_and_cytoplasm():
    cells, nuclei = cell_with_nucleus()
    raw = np.where(nuclei > 0, 100, 7).astype(np.uint16)
    (row,) = measure_parts(cells, find_boxes(cells), nuclei, find_owners(cells, nuclei), raw, "dye")
    assert row["nucleus_mean_intensity_dye"] == 100
    assert row["cytoplasm_mean_intensity_dye"] == 7
    assert row["nucleus_sum_intensity_dye"] == 100 * 760
    assert (
        row["nucleus_sum_intensity_dye"] + row["cytoplasm_sum_intensity_dye"]
        == raw[cells > 0].sum()
    )
    assert measure_parts(
        cells, find_boxes(cells), np.zeros_like(nuclei), np.zeros(1, int), raw, "dye"
    ) == [{}]


def test_flags_of_cells():
    contacts = [
        {"segmentation_label_1": "3", "segmentation_label_2": "5", "wall_missing": "1"},
        {"segmentation_label_1": "3", "segmentation_label_2": "8", "wall_missing": "0"},
    ]
    assert flag_pairs([3, 8, 5], [1, 0, 2], contacts) == [
        "no wall to 5",
        "no nucleus",
        "2 nuclei;no wall to 3",
    ]


def test_offset_and_distances_are_in_um_along_each_axis():
    for axis, step in enumerate(SPACING):
        cells, nuclei = np.zeros((2, 13, 13, 13), np.uint16)
        cells[2:11, 2:11, 2:11] = 1
        place = [6, 6, 6]
        place[axis] = 4
        nuclei[tuple(place)] = 1
        (row,) = measure(cells, nuclei)
        assert row["nucleus_offset_um"] == pytest.approx(2 * step)
        steps = [5 * each for each in SPACING]  # voxels to the next one outside
        steps[axis] = 3 * step
        assert row["nucleus_wall_distance_min_um"] == pytest.approx(min(steps))
        assert row["nucleus_wall_distance_mean_um"] == pytest.approx(min(steps))


def test_nucleus_of_a_cell_is_the_one_with_most_voxels_in_it():
    cells, nuclei = np.zeros((2, 4, 6, 12), np.uint16)
    cells[:, :, :8], cells[:, :, 8:] = 1, 2
    nuclei[0, 0, :3], nuclei[1, 0, :5], nuclei[2, 0, :4] = 1, 2, 3
    nuclei[3, :, 10] = 4
    first, second = measure(cells, nuclei)
    assert (first["nuclei_count"], first["nucleus_segmentation_label"]) == (3, 2)
    assert first["nucleus_volume_um3"] == pytest.approx(12 * np.prod(SPACING))
    assert first["nucleus_to_cell_volume_ratio"] == pytest.approx(12 / np.count_nonzero(cells == 1))
    assert (second["nuclei_count"], second["nucleus_segmentation_label"]) == (1, 4)


def test_half_of_a_nucleus_is_not_enough():
    cells, nuclei = np.zeros((2, 1, 1, 12), np.uint16)
    cells[..., :6], nuclei[..., 4:8] = 1, 1
    assert find_owners(cells, nuclei).tolist() == [0, 0]
    nuclei[..., 3] = 1
    assert find_owners(cells, nuclei).tolist() == [0, 1]


def test_parts_of_a_nucleus_in_other_cells_are_left_out():
    cells, nuclei = np.zeros((2, 1, 1, 12), np.uint16)
    cells[..., :6], cells[..., 6:], nuclei[..., 2:8] = 1, 2, 1
    raw = np.arange(12, dtype=np.uint16).reshape(1, 1, 12)
    owners = find_owners(cells, nuclei)
    rows = measure_parts(cells, find_boxes(cells), nuclei, owners, raw, "dye")
    assert rows == [
        {
            "nucleus_mean_intensity_dye": 3.5,
            "nucleus_sum_intensity_dye": 2 + 3 + 4 + 5,
            "cytoplasm_mean_intensity_dye": 0.5,
            "cytoplasm_sum_intensity_dye": 1,
        },
        {},
    ]
    cells[..., :2] = 0  # the cell is all nucleus
    (row, _) = measure_parts(cells, find_boxes(cells), nuclei, owners, raw, "dye")
    assert (row["cytoplasm_mean_intensity_dye"], row["cytoplasm_sum_intensity_dye"]) == (None, 0)


def test_script_measures_the_selected_cells(tmp_path):
    cells, nuclei = cell_with_nucleus()
    cells[cells == 1] = 3
    cells[2:10, 5:25, 50:58] = 5  # without a nucleus
    cells[0, 0, 0] = 4  # not selected
    raw = np.where(nuclei > 0, 100, 7).astype(np.uint16)
    stacks = {"segmentation": cells, "nuclei": 4 * nuclei, "raw": raw}
    for name, stack in stacks.items():
        write_stack(tmp_path / f"{name}.tif", stack, SPACING)
    (tmp_path / "selection.csv").write_text(
        "segmentation_label,label,volume_um3,reason\n3,1,9,kept\n4,0,9,lateral face\n5,2,9,kept\n"
    )
    (tmp_path / "contacts.csv").write_text(
        "segmentation_label_1,segmentation_label_2,wall_missing\n3,5,0\n4,5,1\n"
    )
    main(
        segmentation=tmp_path / "segmentation.tif",
        selection=tmp_path / "selection.csv",
        contacts=tmp_path / "contacts.csv",
        nuclei=tmp_path / "nuclei.tif",
        raw=[tmp_path / "raw.tif"],
        pairs=tmp_path / "pairs.csv",
        channels=["dye"],
    )
    first, second = read_rows(tmp_path / "pairs.csv")
    assert (first["segmentation_label"], first["nuclei_count"], first["flags"]) == ("3", "1", "")
    assert (second["segmentation_label"], second["nuclei_count"]) == ("5", "0")
    assert second["flags"] == "no nucleus;no wall to 4"
    assert first["nucleus_segmentation_label"] == "4"
    assert float(first["nucleus_volume_um3"]) == pytest.approx(760 * np.prod(SPACING))
    assert (first["nucleus_mean_intensity_dye"], second["nucleus_mean_intensity_dye"]) == (
        "100",
        "",
    )
    assert first["cytoplasm_mean_intensity_dye"] == "7"
