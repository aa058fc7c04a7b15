import csv

import numpy as np
import pandas as pd
import pytest

import summarize_stack as script
from cellstack.config.columns import is_result
from cellstack.config.reasons import REASONS
from cellstack.files.records import write_json
from cellstack.files.stacks import write_stack
from cellstack.measure import summarize_stack as module

SHAPE, SPACING = (12, 90, 100), (2.0, 0.5, 0.4)
COLUMNS = (
    "stack",
    "object",
    "label",
    "segmentation_label",
    "volume_um3",
    "equivalent_diameter_um",
    "surface_area_um2",
    "centroid_z_um",
    "bbox_min_z",
    "touches_first_row",
    "direction_major_z",
    "sum_intensity_a",
)


def summarize_stack(columns, reasons, diameter_um, shape=SHAPE, spacing=SPACING, **options):
    return module.summarize_stack(columns, reasons, shape, spacing, diameter_um, **options)


def table(count, diameter=10.0):
    rng = np.random.default_rng(0)
    values = {
        name: [f"{value:.9g}" for value in diameter * rng.uniform(0.9, 1.1, count)]
        for name in COLUMNS[4:]
    }
    labels = [str(label) for label in range(1, count + 1)]
    texts = {
        "stack": ["s"] * count,
        "object": ["nuclei"] * count,
        "label": labels,
        "segmentation_label": labels,
        "flags": [""] * count,
    }
    return texts | values


def test_statistics_agree_with_pandas():
    columns = table(9)
    summary = summarize_stack(columns, ["kept"] * 9, 10)
    table_of_numbers = pd.DataFrame(columns)[
        ["volume_um3", "equivalent_diameter_um", "surface_area_um2", "sum_intensity_a"]
    ].astype(float)
    expected = table_of_numbers.agg(["mean", "std", "median", "min", "max", "sum"])
    for name in expected:
        for key, row in (
            ("mean", "mean"),
            ("sd", "std"),
            ("median", "median"),
            ("min", "min"),
            ("max", "max"),
        ):
            assert summary[f"{key}_{name}"] == pytest.approx(expected.loc[row, name], rel=1e-12)
        for percent in (5, 25, 75, 95):
            assert summary[f"p{percent}_{name}"] == pytest.approx(
                table_of_numbers[name].quantile(percent / 100), rel=1e-12
            )
    assert summary["total_volume_um3"] == pytest.approx(expected.loc["sum", "volume_um3"])
    assert [key for key in summary if key.startswith("total_")] == [
        "total_volume_um3",
        "total_surface_area_um2",
        "total_sum_intensity_a",
    ]
    assert not any(
        word in key
        for key in summary
        for word in ("centroid", "bbox", "touches", "direction", "label")
    )


def test_counts_by_reason():
    reasons = ["kept", "lateral face", "below size range", "lateral face", "kept", "no nucleus"]
    summary = summarize_stack(table(2), reasons, 10)
    counts = {key: value for key, value in summary.items() if key.startswith("count_")}
    assert {key: value for key, value in counts.items() if not key.startswith("count_flagged")} == {
        "count_found": 6,
        "count_measured": 2,
        "count_dropped_lateral_face": 2,
        "count_dropped_top_or_bottom_face": 0,
        "count_dropped_beside_no_data": 0,
        "count_dropped_dim": None,
        "count_saturated": None,
        "count_dropped_below_size_range": 1,
        "count_dropped_above_size_range": 0,
        "count_dropped_no_nucleus": 1,
    }
    assert list(summary)[:3] == ["status", "count_found", "count_measured"]
    assert {f"count_dropped_{reason.replace(' ', '_')}" for reason in REASONS} < counts.keys()


def test_names_of_all_columns_are_reserved():
    known = {"diameter_um"}  # a column of the sheet too
    assert [
        key
        for key in summarize_stack(table(2), ["kept", "no nucleus"], 10)
        if key not in known and not is_result(key)
    ] == []
    assert not any(map(is_result, ("condition", "mouse", "mean_age", "count", "max_dose_mg")))


def test_flagged_objects_are_counted_by_kind():
    columns = table(5)
    columns["flags"] = [
        "",
        "touches first row;touches last plane;low contrast",
        "small for its stack;low contrast",
        "",
        "seeds close together",
    ]
    summary = summarize_stack(columns, ["kept"] * 5, 10)
    counts = {
        key.removeprefix("count_"): value
        for key, value in summary.items()
        if key.startswith("count_flagged")
    }
    assert counts == {
        "flagged": 3,
        "flagged_face": 1,
        "flagged_small": 1,
        "flagged_large": 0,
        "flagged_irregular": 0,
        "flagged_seeds": 1,
        "flagged_contrast": 2,
    }


@pytest.mark.filterwarnings("error")
def test_no_object_and_one_object():
    empty = summarize_stack(table(0), [], 10)
    assert (empty["status"], empty["total_volume_um3"]) == ("no objects", 0)
    assert empty["flags"].startswith("no objects: nothing was found (check diameter_um")
    assert empty["mean_volume_um3"] is None
    one = summarize_stack(table(1), ["kept"], 10)
    assert one["status"] == "ok"
    assert one["sd_volume_um3"] is None
    assert one["mean_volume_um3"] == one["min_volume_um3"] == one["max_volume_um3"]
    assert empty.keys() == one.keys()


@pytest.mark.parametrize(("diameter", "flagged"), [(10, False), (6, True), (12, False), (15, True)])
def test_flag_of_an_unexpected_diameter(diameter, flagged):
    flags = summarize_stack(table(7, diameter), ["kept"] * 7, 10)["flags"]
    assert flags == (
        "median diameter differs from diameter_um by more than 30 %" if flagged else ""
    )


def test_one_object_with_an_unexpected_diameter_does_not_flag_the_stack():
    columns = table(7)
    columns["equivalent_diameter_um"][3] = "60"
    assert summarize_stack(columns, ["kept"] * 7, 10)["flags"] == ""


@pytest.mark.parametrize(
    ("source", "flagged"),
    [("given", True), ("estimated", True), ("from nuclei", False), ("fallback", False)],
)
def test_the_diameter_is_compared_with_one_that_was_given_or_estimated(source, flagged):
    summary = summarize_stack(table(7, 6), ["kept"] * 7, 10, diameter_source=source)
    assert bool(summary["flags"]) == flagged


@pytest.mark.parametrize("step_um", [0.2, 2.0])
@pytest.mark.parametrize(
    ("section", "flagged"), [(6.9, True), (7.1, False), (12.9, False), (13.1, True)]
)
def test_objects_of_one_plane_are_judged_by_their_section(section, flagged, step_um):
    volume = np.pi / 4 * section**2 * step_um
    columns = table(7)
    columns["equivalent_diameter_um"] = [f"{(6 / np.pi * volume) ** (1 / 3):.9g}"] * 7
    spacing = (step_um, 0.5, 0.4)
    flags = [
        summarize_stack(columns, ["kept"] * 7, 10, shape=(planes, 90, 100), spacing=spacing)[
            "flags"
        ]
        for planes in (1, 2)
    ]
    assert bool(flags[0]) == flagged
    assert bool(flags[1]) == (abs((6 / np.pi * volume) ** (1 / 3) / 10 - 1) > 0.3)


@pytest.mark.parametrize(
    ("diameter", "reasons", "explanation"),
    [
        (0.99, [], "diameter_um 0.99 is less than 2 voxels of 0.5 um"),
        (1.01, [], "nothing was found"),
        (39.9, [], "nothing was found"),
        (40.1, [], "diameter_um 40.1 is more than the field of view, 40 um"),
        (45.0, ["below size range"], "diameter_um 45 is more than the field of view, 40 um"),
        (
            10,
            ["lateral face", "below size range", "lateral face"],
            "all that were found are excluded (2 lateral face, 1 below size range)",
        ),
    ],
)
def test_the_flag_of_a_stack_without_objects_has_the_likely_reason(diameter, reasons, explanation):
    # The field of view is 45 um along y and 40 um along x.
    flags = summarize_stack(table(0), reasons, diameter)["flags"]
    assert flags.startswith(f"no objects: {explanation}")


def test_missing_values_are_ignored():
    columns = table(3)
    columns["volume_um3"] = ["2", "", "4"]
    summary = summarize_stack(columns, ["kept"] * 3, 10)
    assert (summary["mean_volume_um3"], summary["count_measured"]) == (3, 3)


@pytest.mark.parametrize("count", [0, 3])
def test_script_writes_one_row(tmp_path, count):
    pd.DataFrame(table(count)).to_csv(tmp_path / "objects.csv", index=False)
    lines = [
        "segmentation_label,label,volume_um3,reason",
        *(f"{i},{i},1,kept" for i in range(1, count + 1)),
        "9,0,1,above size range",
    ]
    (tmp_path / "selection.csv").write_text("\n".join(lines))
    write_stack(tmp_path / "segmentation.tif", np.zeros((3, 4, 50), np.uint16), (2.0, 9.0, 0.4))
    flags = {"nuclei": ["the first flag", "another"], "membrane": []}
    for channel, of_channel in flags.items():
        (tmp_path / channel).mkdir()
        write_json(tmp_path / channel / "import.json", {"flags": of_channel})
    arguments = {
        "objects": tmp_path / "objects.csv",
        "records": [tmp_path / channel / "import.json" for channel in flags],
        "segmentation": tmp_path / "segmentation.tif",
        "selection": tmp_path / "selection.csv",
        "stack": "s",
        "object": "nuclei",
        "diameter_um": 10,
    }
    script.main(**arguments, summary=tmp_path / "summary.csv")
    (a,) = list(csv.DictReader((tmp_path / "summary.csv").open()))
    assert list(a)[:5] == ["stack", "object", "status", "count_found", "count_measured"]
    assert (a["stack"], a["object"], a["count_found"], a["count_dropped_above_size_range"]) == (
        "s",
        "nuclei",
        str(count + 1),
        "1",
    )
    assert (a["mean_volume_um3"] == "") == (count == 0)
    absence = [] if count else ["no objects: diameter_um 10 is less than 2 voxels of 9 um"]
    imported = ["nuclei: the first flag", "nuclei: another"]
    assert a["flags"].split(";") == [*absence, *imported]


def test_the_fraction_of_voxels_without_data_is_flagged():
    reasons = ["kept"] * 6 + ["beside no data"] * 2
    for columns, start in ((table(6), ""), (table(0), "no objects: ")):
        summary = summarize_stack(columns, reasons, 10, no_data_fraction=0.1234)
        assert summary["no_data_fraction"] == 0.1234
        assert summary["count_dropped_beside_no_data"] == 2
        assert summary["flags"].startswith(start)
        assert summary["flags"].endswith(
            "no data in 12.3 % of the voxels, objects beside them excluded: 2"
        )
    flags = summarize_stack(table(6), ["kept"] * 6, 10, no_data_fraction=0.1234)["flags"]
    assert flags == "no data in 12.3 % of the voxels"


def test_dim_objects_that_were_dropped_are_counted_with_the_setting_to_change():
    record = {"method": "per_object", "dropped_dim": 7, "brightness_ratio": 1.0}
    summary = summarize_stack(table(6), ["kept"] * 6, 10, threshold_record=record)
    assert summary["count_dropped_dim"] == 7
    assert summary["flags"].startswith("dim objects dropped: 7 ")
    assert "binarize.per_object.min_dim_objects" in summary["flags"]
    record["dropped_dim"] = 0
    assert summarize_stack(table(6), ["kept"] * 6, 10, threshold_record=record)["flags"] == ""


@pytest.mark.parametrize(
    ("ratio", "flagged"), [(1.0, False), (12.0, False), (12.6, True), (20.4, True)]
)
def test_a_large_range_of_brightness_is_flagged(ratio, flagged):
    record = {"dropped_dim": 0, "brightness_ratio": ratio}
    flags = summarize_stack(table(6), ["kept"] * 6, 10, threshold_record=record)["flags"]
    assert (f"some objects are {ratio:.0f} times as bright" in flags) == flagged


@pytest.mark.parametrize(("ratio", "flagged"), [(0.175, False), (0.176, True)])
def test_haze_is_flagged(ratio, flagged):
    summary = summarize_stack(table(6), ["kept"] * 6, 10, threshold_record={"haze_ratio": ratio})
    assert summary["haze_ratio"] == ratio
    assert summary["flags"].startswith("haze: beside objects the intensity is 18 %") == flagged


def test_without_a_record_of_the_threshold_its_columns_are_empty():
    summary = summarize_stack(table(6), ["kept"] * 6, 10)
    assert summary["haze_ratio"] is summary["count_dropped_dim"] is None


@pytest.mark.parametrize(
    ("minima", "upper", "maxima", "count"),
    [
        ((90, 80, 95), (4000, 3900, 3800), (4095, 4095, 4000), 0),
        ((90, 80, 95), (4095, 4095, 3800), (4095, 4095, 4000), 2),
        ((90, 80, 95), (3000, 2000, 3800), (3000, 2000, 4000), 0),  # not the highest value
        ((7, 7, 7), (7, 7, 7), (7, 7, 7), 0),  # constant objects
    ],
)
def test_saturated_objects_are_counted_and_flagged(minima, upper, maxima, count):
    columns = table(3) | {
        "min_intensity_nuclei": [str(each) for each in minima],
        "p75_intensity_nuclei": [str(each) for each in upper],
        "max_intensity_nuclei": [str(each) for each in maxima],
    }
    summary = summarize_stack(columns, ["kept"] * 3, 10)
    assert summary["count_saturated"] == count
    have = "has" if count == 1 else "have"
    start = f"saturated: {count} of 3 objects {have} the highest value, {max(maxima)}"
    assert summary["flags"].startswith(start) == (count > 0)
    assert summarize_stack(columns, ["kept"] * 3, 10, channel="cells")["count_saturated"] is None


@pytest.mark.parametrize("count", [0, 4])
def test_hollow_objects_are_flagged(count):
    summary = summarize_stack(table(6), ["kept"] * 6, 10, threshold_record={"hollow": count})
    assert ("hollow: 4 objects are dark inside" in summary["flags"]) == (count > 0)
