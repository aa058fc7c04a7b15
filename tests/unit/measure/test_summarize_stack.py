import numpy as np
import pandas as pd
import pytest
from drawn import boxes_image

import summarize_stack as script
from cellstack.config.columns import CHECK_COLUMNS, STACK_COLUMNS, STATISTICS_COLUMNS
from cellstack.config.object_columns import describe
from cellstack.config.reasons import REASONS
from cellstack.core.counting_frame import place_frame
from cellstack.files.records import write_json
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_rows
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
    segmentation = options.pop("segmentation", np.zeros(shape, np.uint16))
    return module.summarize_stack(columns, reasons, segmentation, spacing, diameter_um, **options)


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
    described = {row["column"]: row for row in module.describe_objects(columns)}
    measured = ["volume_um3", "equivalent_diameter_um", "surface_area_um2", "sum_intensity_a"]
    assert list(described) == measured
    numbers = pd.DataFrame(columns)[measured].astype(float)
    expected = numbers.describe([0.05, 0.25, 0.5, 0.75, 0.95])
    names = {"count": "n", "mean": "mean", "std": "sd", "min": "min", "5%": "p5", "25%": "p25"}
    names |= {"50%": "median", "75%": "p75", "95%": "p95", "max": "max"}
    for name, row in described.items():
        assert row["unit"] == describe(name)[0]
        for pandas_name, ours in names.items():
            value = expected.loc[pandas_name, name]
            assert row[ours] == pytest.approx(value, rel=1e-12), (name, ours)
        total = None if name == "equivalent_diameter_um" else pytest.approx(numbers[name].sum())
        assert row["total"] == total
        assert {"stack", "object", *row} == STATISTICS_COLUMNS.keys()


def test_the_size_of_the_stack_and_typical_objects():
    columns = table(3) | {
        "equivalent_diameter_um": ["5", "7", "6"],
        "volume_um3": ["3", "1", "2"],
    }
    summary = summarize_stack(columns, ["kept"] * 3, 10)
    assert [summary[f"voxel_size_{axis}_um"] for axis in "zyx"] == [2.0, 0.5, 0.4]
    assert [summary[f"shape_{axis}_voxels"] for axis in "zyx"] == [12, 90, 100]
    assert summary["stack_volume_um3"] == pytest.approx(24 * 45 * 40)
    assert (summary["median_equivalent_diameter_um"], summary["median_volume_um3"]) == (6, 2)
    assert {"stack", "object", *summary} == STACK_COLUMNS.keys() | CHECK_COLUMNS.keys()


def test_the_density_in_the_counting_frame():
    frame = place_frame(SHAPE, SPACING, ["first_row", "first_column"], 3.0)
    volume = 24 * (89 - 6) * 0.5 * (99 - 8) * 0.4  # um3, without the guard zone
    options = {"count_in_frame": 4, "frame": frame}
    summary = summarize_stack(table(2), ["kept"] * 2, 10, **options)
    assert summary["density_per_mm3"] == pytest.approx(4 / (volume * 1e-9))
    half = summarize_stack(table(2), ["kept"] * 2, 10, no_data_fraction=0.5, **options)
    assert half["density_per_mm3"] == pytest.approx(2 * summary["density_per_mm3"])
    plane = summarize_stack(table(2), ["kept"] * 2, 10, shape=(1, *SHAPE[1:]), **options)
    assert plane["density_per_mm3"] is None
    nowhere = options | {"frame": place_frame(SHAPE, SPACING, ["first_row"], 1000.0)}
    assert summarize_stack(table(2), ["kept"] * 2, 10, **nowhere)["density_per_mm3"] is None


def test_counts_by_reason():
    reasons = ["kept", "lateral face", "below size range", "lateral face", "kept", "kept"]
    summary = summarize_stack(table(2), reasons, 10)
    counts = {key: value for key, value in summary.items() if key.startswith("count_")}
    assert counts == {
        "count_found": 6,
        "count_measured": 2,
        "count_flagged": 0,
        "count_corrected": 0,
        "count_corrections": 0,
        "count_corrections_not_applied": 0,
        "count_dropped_lateral_face": 2,
        "count_dropped_top_or_bottom_face": 0,
        "count_dropped_beside_no_data": 0,
        "count_dropped_dim": None,
        "count_saturated": None,
        "count_dropped_below_size_range": 1,
        "count_dropped_above_size_range": 0,
    }
    assert {f"count_dropped_{reason.replace(' ', '_')}" for reason in REASONS} < counts.keys()


def test_flagged_objects_are_counted():
    columns = table(5)
    columns["flags"] = ["", "touches first row;low contrast", "small for its stack", "", ""]
    assert summarize_stack(columns, ["kept"] * 5, 10)["count_flagged"] == 2


@pytest.mark.filterwarnings("error")
def test_no_object_and_one_object():
    empty = summarize_stack(table(0), [], 10)
    assert (empty["status"], empty["median_volume_um3"]) == ("no objects", None)
    assert empty["flags"].startswith("no objects: nothing was found (check diameter_um")
    one = summarize_stack(table(1), ["kept"], 10)
    assert one["status"] == "ok"
    assert empty.keys() == one.keys()
    without, single = (module.describe_objects(table(count))[0] for count in (0, 1))
    assert without == dict.fromkeys(without) | {
        "column": "volume_um3",
        "unit": "um3",
        "n": 0,
        "total": 0,
    }
    assert (single["n"], single["sd"]) == (1, None)
    assert single["mean"] == single["min"] == single["max"] == single["total"]


@pytest.mark.parametrize(("diameter", "flagged"), [(10, False), (6, True), (14, False), (16, True)])
def test_flag_of_an_unexpected_diameter(diameter, flagged):
    flags = summarize_stack(table(7, diameter), ["kept"] * 7, 10)["flags"]
    assert flags.startswith("objects of another diameter: the median is ") == flagged
    assert bool(flags) == flagged


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
    ("section", "flagged"), [(6.6, True), (6.7, False), (14.9, False), (15.1, True)]
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
    ratio = (6 / np.pi * volume) ** (1 / 3) / 10
    assert ("another diameter" in flags[1]) == (max(ratio, 1 / ratio) > 1.5)


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
            "all that were found are excluded (lateral face: 2, below size range: 1)",
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
    row = module.describe_objects(columns)[0]
    assert (row["n"], row["mean"]) == (2, 3)
    assert summarize_stack(columns, ["kept"] * 3, 10)["median_volume_um3"] == 3


@pytest.mark.parametrize("count", [0, 3])
def test_script_writes_the_summary_and_the_statistics(tmp_path, count):
    pd.DataFrame(table(count)).to_csv(tmp_path / "objects.csv", index=False)
    lines = [
        "segmentation_label,label,volume_um3,reason,counted",
        *(f"{i},{i},1,kept,0" for i in range(1, count + 1)),
        "9,0,1,above size range,1",
    ]
    (tmp_path / "selection.csv").write_text("\n".join(lines))
    write_stack(tmp_path / "segmentation.tif", np.zeros((3, 4, 50), np.uint16), (2.0, 9.0, 0.4))
    flags = {"nuclei": ["the first flag", "another"], "membrane": []}
    for channel, of_channel in flags.items():
        (tmp_path / channel).mkdir()
        write_json(tmp_path / channel / "import.json", {"flags": of_channel})
    rows = {
        "nuclei": {"flags": "uneven background;dim", "signal_to_noise_ratio": 12.5},
        "membrane": {"flags": "", "signal_to_noise_ratio": 3.5},
    }
    quality = {channel: {"row": row} for channel, row in rows.items()}
    write_json(tmp_path / "quality.json", quality)
    arguments = {
        "objects": tmp_path / "objects.csv",
        "records": [tmp_path / channel / "import.json" for channel in flags],
        "segmentation": tmp_path / "segmentation.tif",
        "selection": tmp_path / "selection.csv",
        "quality": tmp_path / "quality.json",
        "stack": "s",
        "object": "nuclei",
        "diameter_um": 10,
        "counting_frame": ["first_column"],
        "counting_guard_um": 0.8,
    }
    outputs = {name: tmp_path / f"{name}.csv" for name in ("summary", "statistics")}
    script.main(**arguments, **outputs)
    (a,) = read_rows(outputs["summary"])
    assert list(a) == list(STACK_COLUMNS | CHECK_COLUMNS)
    assert list(a)[:4] == ["stack", "object", "status", "flags"]
    assert (a["stack"], a["object"], a["count_found"], a["count_dropped_above_size_range"]) == (
        "s",
        "nuclei",
        str(count + 1),
        "1",
    )
    in_frame = 3 * 2.0 * 4 * 9.0 * (50 - 1 - 2) * 0.4  # um3; the frame of the one that counts
    assert float(a["density_per_mm3"]) == pytest.approx(1e9 / in_frame)
    assert (a["median_volume_um3"] == "") == (count == 0)
    rows = list(read_rows(outputs["statistics"]))
    assert [list(row) for row in rows] == [list(STATISTICS_COLUMNS)] * 4
    assert {(row["stack"], row["object"], row["n"]) for row in rows} == {
        ("s", "nuclei", str(count))
    }
    absence = [] if count else ["no objects: diameter_um 10 is less than 2 voxels of 9 um"]
    imported = ["nuclei: the first flag", "nuclei: another"]
    of_channel = ["nuclei: uneven background", "nuclei: dim"]
    assert a["flags"].split(";") == [*absence, *imported, *of_channel]
    assert (a["signal_to_noise_ratio"], a["dimming_ratio"]) == ("12.5", "")


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
    summary = summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)
    assert summary["count_dropped_dim"] == 7
    assert summary["flags"].startswith("dim objects dropped: 7 ")
    assert "binarize.per_object.min_dim_objects" in summary["flags"]
    record["dropped_dim"] = 0
    assert summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)["flags"] == ""


@pytest.mark.parametrize(
    ("ratio", "flagged"), [(1.0, False), (12.0, False), (12.6, True), (20.4, True)]
)
def test_a_large_range_of_brightness_is_flagged(ratio, flagged):
    record = {"dropped_dim": 0, "brightness_ratio": ratio}
    flags = summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)["flags"]
    assert (f"some objects are {ratio:.0f} times as bright" in flags) == flagged


@pytest.mark.parametrize(("voxels", "fraction"), [(0, 0), (50, 0.05)])
def test_removed_sheets_are_flagged(voxels, fraction):
    record = {"foreground_voxels": 1000, "sheet_voxels": voxels}
    summary = summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)
    assert summary["sheet_fraction"] == fraction
    assert ("sheets removed: 5 % of the mask" in summary["flags"]) == (voxels > 0)
    assert ";" not in summary["flags"]  # it separates flags


@pytest.mark.parametrize(("length", "flagged"), [(4.9, ""), (5.3, "2.1"), (7.5, "3")])
@pytest.mark.parametrize(("name", "count"), [("nuclei", 5), ("nuclei", 4), ("cells", 5)])
def test_nuclei_that_are_long_along_z_are_flagged(length, flagged, name, count):
    axes = {"major": (length, "1"), "middle": (2.5, "0"), "minor": (2.5, "0")}
    objects = table(6) | {"touches_first_row": ["0"] * count + ["1"] * (6 - count)}
    for axis, (size, direction) in axes.items():
        objects[f"axis_{axis}_length_um"] = [str(size)] * count + ["1"] * (6 - count)
        objects[f"direction_{axis}_z"] = [direction] * 6
    flags = summarize_stack(objects, ["kept"] * 6, 10, channel=name)["flags"]
    expected = (
        f"long along z: the median object is {flagged} times as long along z as across (check the "
        "voxel size along z)"
    )
    assert flags == (expected if flagged and name == "nuclei" and count == 5 else "")


@pytest.mark.parametrize(
    ("inside", "outside", "ratio", "flagged"),
    [("90", "100", "0.4", False), ("110", "100", "0.4", True), ("90", "", "1", True)],
)
@pytest.mark.parametrize("count", [2, 3])
def test_a_membrane_channel_that_shows_nuclei_is_flagged(count, inside, outside, ratio, flagged):
    cells = table(7) | {
        "nucleus_mean_intensity_membrane": [inside] * count + ["90"] * (6 - count) + [""],
        "cytoplasm_mean_intensity_membrane": [outside] * count + ["100"] * (6 - count) + [""],
        "nucleus_to_cell_volume_ratio": [ratio] * count + ["0.4"] * (6 - count) + [""],
        "sd_intensity_membrane": ["20"] * 7,
    }
    flags = summarize_stack(cells, ["kept"] * 7, 10, channel="cells")["flags"]
    assert ("membrane in nuclei: 3 of 6 nuclei" in flags) == (flagged and count == 3)


@pytest.mark.parametrize(("inside", "flagged"), [("96", False), ("98", True)])
@pytest.mark.parametrize("count", [4, 5])
def test_a_membrane_that_is_shifted_relative_to_the_nuclei_is_flagged(inside, flagged, count):
    cells = table(count) | {
        "nucleus_mean_intensity_membrane": [inside] * count,
        "cytoplasm_mean_intensity_membrane": ["100"] * count,
        "nucleus_to_cell_volume_ratio": ["0.4"] * count,
        "sd_intensity_membrane": ["20"] * count,
    }
    flags = summarize_stack(cells, ["kept"] * count, 10, channel="cells")["flags"]
    assert ("in nuclei: most are about as bright" in flags) == (flagged and count == 5)


@pytest.mark.parametrize(("ratio", "flagged"), [(0.175, False), (0.176, True)])
def test_haze_is_flagged(ratio, flagged):
    summary = summarize_stack(table(6), ["kept"] * 6, 10, mask_record={"haze_ratio": ratio})
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


@pytest.mark.parametrize(("fraction", "flagged"), [(0.6, False), (0.61, True)])
def test_objects_with_the_highest_contrast_are_flagged(fraction, flagged):
    record = {"clipped_fraction": fraction}
    flags = summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)["flags"]
    assert flags.startswith("clipped: 61 % of the voxels of objects") == flagged


@pytest.mark.parametrize("count", [0, 4])
def test_hollow_objects_are_flagged(count):
    summary = summarize_stack(table(6), ["kept"] * 6, 10, mask_record={"hollow": count})
    assert ("hollow: 4 objects are dark inside" in summary["flags"]) == (count > 0)


@pytest.mark.parametrize(
    ("estimate", "flagged"), [(None, False), (6.6, True), (6.7, False), (14.9, False), (15.1, True)]
)
def test_a_diameter_that_the_image_does_not_confirm_is_flagged(estimate, flagged):
    for columns in (table(6), table(0)):
        summary = summarize_stack(columns, ["kept"] * 6, 10, estimated_um=estimate)
        assert summary["estimated_diameter_um"] == estimate
        assert ("the image suggests a diameter of" in summary["flags"]) == flagged


@pytest.mark.parametrize(
    ("reasons", "flag"),
    [
        (["kept"] * 15 + ["below size range"] * 3 + ["above size range"] * 2, ""),
        (["kept"] * 15 + ["below size range"] * 6, "outside the size range: 6 of 21 objects"),
        (["kept"] * 15 + ["above size range"] * 6, "outside the size range: 6 of 21 objects"),
        (["kept"] * 2 + ["below size range"] * 2, ""),  # too few
        (["kept"] * 5 + ["lateral face"] * 15, ""),
        (["kept"] * 5 + ["lateral face"] * 12 + ["top or bottom face"] * 4, "cut by a face"),
    ],
)
def test_many_excluded_objects_are_flagged(reasons, flag):
    flags = summarize_stack(table(reasons.count("kept")), reasons, 10)["flags"]
    assert flags.startswith(flag) and bool(flags) == bool(flag)


@pytest.mark.parametrize(
    "kind", ["seeds close together", "irregular for its stack", "low contrast"]
)
@pytest.mark.parametrize(("count", "flagged"), [(3, False), (4, True)])
def test_many_flagged_objects_are_flagged(kind, count, flagged):
    columns = table(9)
    columns["flags"] = [f"touches first row;{kind}"] * count + ["touches last row"] * (9 - count)
    flags = summarize_stack(columns, ["kept"] * 9, 10)["flags"]
    assert flags.startswith(f"{kind}: 4 of 9 objects") == flagged
    assert bool(flags) == flagged


@pytest.mark.parametrize(
    ("planes", "source", "flagged"),
    [(4, "given", True), (5, "given", False), (1, "given", False), (4, "fallback", False)],
)
def test_a_stack_that_is_thinner_than_an_object_is_flagged(planes, source, flagged):
    options = {"shape": (planes, 90, 100), "diameter_source": source}
    flags = summarize_stack(table(9), ["kept"] * 9, 10, **options)["flags"]
    thin = "thinner than an object: 4 planes are 8 um, and diameter_um 10 um (volumes and shapes"
    assert (thin in flags) == flagged
    assert ("thinner" in flags) == flagged


def test_one_object_in_several_parts_is_enough_for_a_flag():
    columns = table(9)
    columns["flags"] = ["touches first row;several parts"] + [""] * 8
    assert summarize_stack(columns, ["kept"] * 9, 10)["flags"] == (
        "several parts: 1 of 9 objects (a label may be that of several objects)"
    )


def test_an_uncertain_diameter_is_flagged():
    summary = summarize_stack(table(9), ["kept"] * 9, 10, doubt="it is based on ...")
    assert summary["flags"] == (
        "the estimated diameter is uncertain: it is based on ... (give diameter_um)"
    )


def test_one_much_brighter_object_is_enough_for_a_flag():
    columns = table(9)
    columns["flags"] = ["large for its stack;bright for its stack"] + [""] * 8
    assert summarize_stack(columns, ["kept"] * 9, 10)["flags"] == (
        "bright for its stack: 1 object (objects beside it can be missing or too small)"
    )


@pytest.mark.parametrize(("ratio", "flagged"), [(1.7, True), (1.8, False)])
def test_a_low_signal_to_noise_is_flagged(ratio, flagged):
    columns = table(3) | {"contrast_to_noise_ratio": [str(ratio), "", str(ratio)]}
    summary = summarize_stack(columns, ["kept"] * 3, 10)
    assert summary["median_contrast_to_noise_ratio"] == ratio
    assert summary["flags"].startswith("low signal to noise: ") == flagged


def test_objects_at_each_face_are_counted():
    labels = boxes_image(
        (5, 20, 30),
        [(0, 2), (0, 5), (0, 5)],
        [(0, 5), (8, 12), (8, 12)],
        [(2, 4), (14, 20), (20, 30)],
        [(2, 4), (8, 12), (20, 25)],
    )
    summary = summarize_stack(table(0), ["lateral face"] * 4, 10.0, segmentation=labels)
    assert summary["cut_by_faces"] == (
        "first plane 2;last plane 1;first row 1;last row 1;first column 1;last column 1"
    )
    plane = summarize_stack(table(0), ["lateral face"] * 2, 10.0, segmentation=labels[:1])
    assert plane["cut_by_faces"] == "first row 1;first column 1"
    nothing = summarize_stack(table(0), [], 10.0)
    assert nothing["cut_by_faces"] == ""


def test_a_flag_of_the_objects_replaces_that_of_their_channel():
    columns = table(6) | {"contrast_to_noise_ratio": ["0.5"] * 6}
    columns |= {f"{name}_intensity_nuclei": ["9"] * 6 for name in ("p75", "max")}
    columns["min_intensity_nuclei"] = ["1"] * 6
    of_channels = [
        "nuclei: low signal to noise: a",
        "nuclei: saturated: b",
        "nuclei: uneven background: c",
        "membrane: saturated: d",
    ]
    summary = summarize_stack(columns, ["kept"] * 6, 10.0, image_flags=of_channels)
    flags = summary["flags"].split(";")
    assert [flag for flag in of_channels if flag in flags] == of_channels[2:]
    assert sum(flag.startswith("low signal to noise") for flag in flags) == 1
    assert sum(flag.startswith("saturated: 6 of 6 objects") for flag in flags) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_disagreements_of_blocks_are_flagged(count):
    record = {"seam_disagreements": count}
    flags = summarize_stack(table(6), ["kept"] * 6, 10, mask_record=record)["flags"]
    expected = {
        1: "seams: blocks disagreed on 1 object (",
        3: "seams: blocks disagreed on 3 objects",
    }
    assert ("seams" in flags) == (count > 0)
    assert expected.get(count, "") in flags
