"""The channels of spots in the study."""

import pytest

from cellstack.config.measurements import Measurements
from cellstack.errors import InputError

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
FISH = {"stack": "a", "channel": "FISH", "image": "f.tif"}
OTHER = {"stack": "b", "channel": "nuclei", "image": "a.tif"}
SPOTS = {"channels": {"FISH": {"diameter_um": 0.5}}}


def test_only_stacks_with_the_channel_have_spots(load_study):
    study = load_study([NUCLEI, FISH, OTHER], detect_spots=SPOTS)
    assert Measurements(study).spot_channels("a") == ["FISH"]
    assert Measurements(study).spot_channels("b") == []
    assert Measurements(study).stacks_with_spots() == ["a"]
    assert Measurements(study).spot_diameters("FISH") == [0.5, 0.5, 0.5]
    assert Measurements(study).spot_options("FISH")["threshold"] == 5
    assert Measurements(study).measures("spots")
    assert Measurements(study).column_groups()["spots"] == ["FISH"]


def test_no_spots_without_a_declaration(load_study):
    study = load_study([NUCLEI, FISH])
    assert Measurements(study).stacks_with_spots() == []
    assert not Measurements(study).measures("spots")


def test_ground_truth_of_spots(load_study):
    study = load_study([NUCLEI, FISH | {"ground_truth": "points.csv"}], detect_spots=SPOTS)
    assert Measurements(study).scored_spots() == [("a", "FISH")]
    assert study.stacks_with("ground_truth") == []


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"FISj": {"diameter_um": 1}}, r"channels.FISj: .* no channel 'FISj'; did you mean 'FISH'"),
        ({"nuclei": {"diameter_um": 1}}, "this channel shows nuclei, which are segmented"),
        ({"FISH": {}}, "diameter_um is missing"),
        ({"FISH": {"diameter_um": 1, "treshold": 3}}, "did you mean 'threshold'"),
        ({"FISH": {"diameter_um": 0}}, "0 is not above 0"),
    ],
)
def test_errors_of_channels(load_study, channels, message):
    with pytest.raises(InputError, match=message):
        load_study([NUCLEI, FISH], detect_spots={"channels": channels})


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"labels": "l.tif"}, "labels"),
        ({"ground_truth": "t.tif"}, "ground_truth"),
        ({"diameter_um": 0.5}, "diameter_um"),
    ],
)
def test_cells_about_objects_in_the_row_of_another_channel_are_refused(load_study, cells, column):
    message = f"row 3: {column} has no effect in a row of channel 'FISH'; move it to the row of"
    with pytest.raises(InputError, match=message):
        load_study([NUCLEI, FISH | cells])
    load_study([NUCLEI | cells, FISH])
    load_study([NUCLEI | cells, FISH | cells])  # as filled down in a spreadsheet
    load_study([NUCLEI, FISH | cells | {"include": "false"}])


def test_an_image_is_no_ground_truth_of_spots(load_study):
    rows = [NUCLEI, FISH | {"ground_truth": "spots.tif"}]
    with pytest.raises(
        InputError, match=r"row 3: ground_truth 'spots.tif' of spots is not a table"
    ):
        load_study(rows, detect_spots=SPOTS)


def test_spots_of_a_stack_that_is_not_simulated(load_study):
    with pytest.raises(InputError, match="no stack 'colny' is simulated; did you mean 'colony'"):
        load_study(
            [NUCLEI],
            simulate_stack={"colony": {}},
            simulate_spots={"colny": {"diameter_um": 0.5}},
        )
