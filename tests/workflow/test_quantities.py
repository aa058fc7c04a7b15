"""Every quantity of every table of a run, computed a second time with other code.

The expected values come from the images that the test draws and from the label images of the run,
by plain NumPy, SciPy and scikit-image, at a voxel size that differs along z, y and x. The test
fails if a table has a column that is not computed here.
"""

import json
import math
from collections import Counter

import numpy as np
import pytest
from expected.cells import contacts_between, pair_columns, pair_flags
from expected.neighbors import neighbor_columns
from expected.objects import objects_of, touched_faces
from expected.scene import (
    CHANNELS,
    KINDS,
    ONE,
    OTHER,
    SHAPE,
    SPACING,
    VOLUMES,
    VOXEL,
    diameter_of,
    labels_of,
    rows_of,
    run_scene,
)
from expected.scores import match, rates, scored, surface_distance
from expected.stacks import (
    block_means,
    cut_by_faces,
    density_of,
    flags_of_channels,
    focus_of,
    haze_of,
    is_blurred,
)
from scipy import stats
from skimage import metrics

from cellstack.config.columns import is_result
from cellstack.config.object_columns import COLUMNS, GROUPS, NEIGHBORS, PAIR_COLUMNS
from cellstack.evaluate.score_columns import TABLES
from cellstack.files.stacks import read_stack
from cellstack.measure.measure_objects import MEASURED

pytestmark = pytest.mark.slow

SCORED = [("drawn", "nuclei"), ("drawn", "cells"), ("grown", "nuclei")]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_scene(tmp_path_factory.mktemp("quantities"))


def assert_row(row, expected):
    """Assert that a row has the expected columns, no other ones, and the expected values."""
    assert row.keys() == expected.keys()
    for column, value in expected.items():
        if value is None or isinstance(value, str):
            assert row[column] == (value or ""), column
        elif isinstance(value, set):
            assert int(row[column]) in value, column
        else:
            # directions are components of unit vectors; sums over 13 directions are approximate
            rel = 0.02 if "surface_area" in column or column == "sphericity" else 1e-7
            rel = 0.02 if column == "local_density_per_mm3" else rel  # voxels are counted
            assert float(row[column]) == pytest.approx(value, rel=rel, abs=1e-8), column


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_objects(study, stack, kind):
    _, expected = objects_of(study, stack, kind)
    table = rows_of(study, f"{stack}/{kind}/objects.csv")
    assert len(table) == len(expected)
    assert bool(expected) == (stack != "none")
    for row, values in zip(table, expected, strict=True):
        assert_row(row, values)
    collected = rows_of(study, "objects.csv", stack=stack, object=kind)
    from_sheet = {
        "condition": {"drawn": "control", "grown": "drug"}.get(stack, ""),
        "mouse": "m-7" if stack == "drawn" else "",
    }
    for row, own in zip(collected, table, strict=True):
        # a column of another stack or kind of object is empty
        assert row == dict.fromkeys(row, "") | own | from_sheet


def test_the_dictionary_of_columns_is_that_of_the_table(study):
    def fill_in(columns):
        return [c.replace("<channel>", channel) for c in columns for channel in CHANNELS]

    names = {*fill_in(COLUMNS), *fill_in(PAIR_COLUMNS), "condition", "mouse"}
    for group in (*MEASURED, *NEIGHBORS):
        names |= {*fill_in(GROUPS[group])}
    assert study.tables["objects.csv"][0].keys() == names
    described = study.tables["columns.csv"]
    for table in ("objects.csv", "stacks.csv", "checks.csv", "statistics.csv", "neighbors.csv"):
        listed = [row["column"] for row in described if row["table"] == table]
        assert sorted(listed) == sorted(study.tables[table][0])
    for row in described:
        unit = row["column"].rpartition("_")[2]
        assert row["definition"]
        assert not unit.startswith("um") or row["unit"] == unit
        assert "_intensity_" not in row["column"] or row["unit"] == "raw value"
    # the sheet cannot have a column with the name of one of these
    from_sheet = {"condition", "mouse", "diameter_um"}
    for table in ("objects.csv", "stacks.csv", "checks.csv"):
        assert {name for name in study.tables[table][0] if not is_result(name)} <= from_sheet
    for table, columns in TABLES.items():
        assert list(study.tables[table][0]) == list(columns)
        listed = [row["column"] for row in rows_of(study, "columns.csv", table=table)]
        assert listed == list(columns)


def test_the_drawn_objects_have_every_flag_and_reason(study):
    """Otherwise the other tests would compare empty cells."""
    tables = study.tables
    flags = " ".join(row["flags"] for row in tables["objects.csv"])
    for part in (
        *("touches first row", "touches last row", "touches first column", "touches last plane"),
        *("small", "large", "irregular", "seeds close", "low contrast"),
        *("no nucleus", "2 nuclei", "no wall to"),
    ):
        assert part in flags, part
    reasons = {row["reason"] for row in tables["drawn/nuclei/selection.csv"]}
    assert len(reasons) == 5
    euler = {int(row["euler_number"]) for row in tables["objects.csv"]}
    assert {0, 1, 2} <= euler
    (rimmed,) = rows_of(study, "drawn/nuclei/objects.csv", segmentation_label="14")
    assert 0.05 * float(rimmed["equivalent_diameter_um"]) > 0.36
    assert "low contrast" not in rimmed["flags"]
    scores = rows_of(study, "stack_scores.csv", stack="drawn", object="nuclei")[0]
    for kind in ("split", "merged", "missed", "spurious", "low_iou"):
        assert scores[f"count_{kind}"] != "0", kind


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_selection(study, stack, kind):
    segmentation = labels_of(study, stack, kind)
    diameter = diameter_of(study, stack, kind)
    smallest, largest = (share * np.pi / 6 * diameter**3 for share in VOLUMES)
    table, label = study.tables[f"{stack}/{kind}/selection.csv"], 0
    assert len(table) == segmentation.max()
    for found, row in enumerate(table, 1):
        mask = segmentation == found
        touched = touched_faces(mask)
        volume, reason = mask.sum() * VOXEL, "kept"
        if volume < smallest:
            reason = "below size range"
        if stack != "grown":  # its preset excludes no other objects
            reason = "above size range" if volume > largest else reason
            reason = "top or bottom face" if touched["first plane"] else reason
            reason = "lateral face" if touched["last column"] else reason
        label += reason == "kept"
        own = label if reason == "kept" else 0
        expected = {"segmentation_label": found, "label": own, "volume_um3": volume}
        counted = not (touched["first row"] or touched["first column"])
        assert_row(row, expected | {"reason": reason, "counted": int(counted)})


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_neighbors(study, stack, kind):
    table = study.tables[f"{stack}/{kind}/neighbors.csv"]
    neighborhood = study.tables[f"{stack}/{kind}/neighborhood.csv"]
    collected = rows_of(study, "neighbors.csv", stack=stack, object=kind)
    for row, own in zip(collected, table, strict=True):
        assert row.items() >= own.items()
    if stack == "none":
        assert table == neighborhood == []
        return
    rows, columns = neighbor_columns(study, stack, kind)
    for row, expected in zip(table, rows.values(), strict=True):
        assert_row(row, expected)
    for row, (label, expected) in zip(neighborhood, columns.items(), strict=True):
        assert_row(row, {"segmentation_label": label} | expected)
    if stack == "drawn":
        assert {row["within_radius"] for row in table} == {"0", "1"}
        assert {row["touching"] for row in table} == ({"0", "1"} if kind == "cells" else {"0"})


def test_contacts(study):
    expected = contacts_between(study)
    table = study.tables["drawn/cells/contacts.csv"]
    assert {row["wall_missing"] for row in table} == {"0", "1"}
    assert "0" in {row["label_1"] for row in table}
    for row, values in zip(table, expected, strict=True):
        if (values["segmentation_label_1"], values["segmentation_label_2"]) == (ONE, OTHER):
            oblique = values.pop("contact_area_um2")
            assert float(row["contact_area_um2"]) == pytest.approx(oblique, rel=0.05)
            values["contact_area_um2"] = float(row["contact_area_um2"])
        assert_row(row, values)


def test_pairs(study):
    cells = labels_of(study, "drawn", "cells")
    selected = labels_of(study, "drawn", "cells", "labels.ome.tif")
    table = study.tables["drawn/cells/pairs.csv"]
    assert {row["nuclei_count"] for row in table} == {"0", "1", "2"}
    for label, row in enumerate(table, 1):
        (found,) = np.unique(cells[selected == label])
        expected = {"segmentation_label": found} | pair_columns(study, selected == label)
        flags = pair_flags(study, found, expected["nuclei_count"])
        assert_row(row, expected | {"flags": ";".join(flags)})
    assert label == selected.max()


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_stacks(study, stack, kind):
    objects = study.tables[f"{stack}/{kind}/objects.csv"]
    reasons = Counter(row["reason"] for row in study.tables[f"{stack}/{kind}/selection.csv"])
    flags = [row["flags"].split(";") for row in objects if row["flags"]]
    source = {"grown": "estimated"}.get(stack, "from nuclei" if kind == "cells" else "given")
    diameter = diameter_of(study, stack, kind)
    expected = {
        "stack": stack,
        "object": kind,
        "status": "ok" if objects else "no objects",
        "count_found": reasons.total(),
        "count_measured": len(objects),
        "count_flagged": len(flags),
        **dict.fromkeys(("count_corrected", "count_corrections"), 0),
        "count_corrections_not_applied": 0,
        "density_per_mm3": density_of(study, stack, kind),
        "diameter_um": diameter,
        "diameter_source": source,
        "stack_volume_um3": np.prod(SHAPE) * np.prod(SPACING),
        "no_data_fraction": 0,
    }
    estimate = study.result(stack, kind, "diameter.json")
    is_estimated = stack == "grown"
    assert estimate.is_file() == is_estimated  # the labels of the others are external
    expected["estimated_diameter_um"] = (
        json.loads(estimate.read_text())["diameter_um"] if is_estimated else None
    )
    for axis, size, step in zip("zyx", SHAPE, SPACING, strict=True):
        expected |= {f"voxel_size_{axis}_um": step, f"shape_{axis}_voxels": size}
    for reason in (
        "lateral face",
        "top or bottom face",
        "beside no data",
        "below size range",
        "above size range",
    ):
        expected[f"count_dropped_{reason.replace(' ', '_')}"] = reasons[reason]
    expected["count_dropped_dim"] = 0 if stack == "grown" else None
    expected["haze_ratio"] = haze_of(study, stack) if stack == "grown" else None
    expected["sheet_fraction"] = 0 if stack == "grown" and kind == "nuclei" else None
    expected["count_saturated"] = 0 if kind == "nuclei" else None
    expected["cut_by_faces"] = cut_by_faces(study, stack, kind)
    channel = {"nuclei": "nuclei", "cells": "membrane"}[kind]
    (quality,) = rows_of(study, "quality.csv", stack=stack, channel=channel)
    for column in ("signal_to_noise_ratio", "dimming_ratio"):
        expected[column] = float(quality[column]) if quality[column] else None
    for column in ("equivalent_diameter_um", "volume_um3", "contrast_to_noise_ratio"):
        values = [float(row[column]) for row in objects if row[column]]
        expected[f"median_{column}"] = np.median(values) if values else None
    diameters = [float(row["equivalent_diameter_um"]) for row in objects]
    if not objects:
        nothing = "nothing was found (check diameter_um, the channel and the contrast of the image)"
        expected["flags"] = ";".join([f"no objects: {nothing}", *flags_of_channels(study, stack)])
    else:
        median = np.median(diameters)
        is_other = source != "from nuclei" and not 2 / 3 < median / diameter < 3 / 2
        stack_flags = [
            f"objects of another diameter: the median is {median:.3g} um, and diameter_um "
            f"{diameter:.3g} um (check which of them is right)"
        ] * is_other
        stack_flags += flags_of_channels(study, stack)
        for flag, why in (
            ("seeds close together", "objects may be split into several"),
            ("irregular for its stack", "check the figures"),
            ("low contrast", "they may be noise"),
        ):
            number = sum(flag in row["flags"] for row in objects)
            if 3 * number > len(objects) >= 5:
                stack_flags.append(f"{flag}: {number} of {len(objects)} objects ({why})")
        expected["flags"] = ";".join(stack_flags)
    (summary,) = study.tables[f"{stack}/{kind}/summary.csv"]
    for column, value in expected.items():
        if not isinstance(value, str | None):  # cells of objects.csv are rounded
            assert float(summary[column]) == pytest.approx(value, rel=1e-7, abs=1e-9), column
        else:
            assert summary[column] == (value or ""), column
    assert summary.keys() == expected.keys()
    (row,) = rows_of(study, "stacks.csv", stack=stack, object=kind)
    (checked,) = rows_of(study, "checks.csv", stack=stack, object=kind)
    row |= checked
    row["flags"], _, copy = row["flags"].partition(";same image as nuclei of ")
    assert copy == ({"drawn": "none", "none": "drawn"}.get(stack, "") if kind == "nuclei" else "")
    assert summary.items() <= row.items()
    others = row.keys() - summary.keys()
    assert {row[name] for name in others - {"condition", "mouse"}} <= {""}
    assert row["condition"] == {"drawn": "control", "grown": "drug"}.get(stack, "")


@pytest.mark.parametrize(
    ("stack", "channel"),
    [*(("drawn", channel) for channel in CHANNELS), ("grown", "nuclei"), ("none", "nuclei")],
)
def test_quality(study, stack, channel):
    raw = read_stack(study.result(stack, "channels", channel, "raw.tif"))[0].astype(float)
    second = np.diff(np.diff(raw, 2, axis=1), 2, axis=2)
    changes = np.abs(second[second != 0])
    noise = np.median(changes) / (6 * stats.norm.ppf(0.75)) if len(changes) else 0
    blocks = np.stack([block_means(plane) for plane in raw])
    signal = np.array([np.subtract(*np.percentile(each, (99, 5))) for each in blocks])
    of_stack = np.subtract(*np.percentile(blocks, (99.5, 5)))
    focus = np.array([focus_of(plane) for plane in raw])
    tiles = [
        np.percentile(tile, 10)
        for part in np.array_split(blocks, 4, axis=1)
        for tile in np.array_split(part, 4, axis=2)
    ]
    planes = np.flatnonzero(signal > 2 * noise)
    is_constant = np.ptp(raw, axis=(1, 2)) == 0
    repeated = [
        not is_constant[z] and any(np.array_equal(raw[z], each) for each in raw[:z])
        for z in range(1, len(raw))
    ]
    expected = {
        "stack": stack,
        "channel": channel,
        "saturated_fraction": np.mean(raw == raw.max()) if np.ptp(raw) else 0,
        "zero_fraction": np.mean(raw == 0),
        "count_grey_levels": len(np.unique(raw)),
        "noise_sd_intensity": noise,
        "signal_to_noise_ratio": of_stack / noise if noise else None,
        "dimming_ratio": None,
        "dimming_fit_fraction": None,
        "signal_start_um": planes[0] * SPACING[0] if len(planes) else None,
        "signal_end_um": planes[-1] * SPACING[0] if len(planes) else None,
        "background_range_ratio": np.ptp(tiles) / of_stack if of_stack else None,
        "count_blurred_planes": sum(is_blurred(z, focus, signal, noise) for z in range(len(raw))),
        "count_repeated_planes": sum(repeated),
        "count_missing_planes": 0 if is_constant.all() else is_constant.sum(),
    }
    if len(planes) >= 5:
        slope, _, correlation, *_ = stats.linregress(planes, np.log(signal[planes]))
        expected["dimming_ratio"] = np.exp(slope * np.ptp(planes))
        expected["dimming_fit_fraction"] = correlation**2
    (row,) = rows_of(study, "quality.csv", stack=stack, channel=channel)
    flags = row.pop("flags")
    for column, value in expected.items():  # those of cv2 are of single precision
        if not isinstance(value, str | None):
            assert float(row[column]) == pytest.approx(value, rel=1e-4, abs=1e-6), column
        else:
            assert row[column] == (value or ""), column
    assert row.keys() == expected.keys()
    row["flags"] = flags
    possible = {
        "saturated: ": expected["saturated_fraction"] > 0.01,
        "only ": 1 < expected["count_grey_levels"] < 24,
        "low signal to noise: ": (expected["signal_to_noise_ratio"] or 9) < 3,
        "dim at ": (expected["dimming_fit_fraction"] or 0) >= 0.75
        and not 0.5 < expected["dimming_ratio"] < 2,
        "uneven background: ": (expected["background_range_ratio"] or 0) > 0.5,
        "out of focus: ": expected["count_blurred_planes"] > 0,
        "identical to an earlier plane: ": expected["count_repeated_planes"] > 0,
        "empty: ": expected["count_missing_planes"] > 0,
        "same image as ": (stack, channel) in (("drawn", "nuclei"), ("none", "nuclei")),
    }
    found = flags.split(";") if flags else []
    wanted = [text for text, is_set in possible.items() if is_set]
    assert all(text in flag for text, flag in zip(wanted, found, strict=True)), (wanted, found)


@pytest.mark.parametrize(("stack", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_statistics(study, stack, kind):
    objects = study.tables[f"{stack}/{kind}/objects.csv"]
    rows = study.tables[f"{stack}/{kind}/statistics.csv"]
    header = study.result(stack, kind, "objects.csv").read_text().splitlines()[0].split(",")
    measured = [
        column
        for column in header
        if column not in ("stack", "object", "label", "flags", "corrections")
        and "segmentation_label" not in column
        and not column.startswith(("centroid", "bbox", "touches", "direction"))
    ]
    assert [row["column"] for row in rows] == measured
    for row in rows:
        column = row["column"]
        values = np.array([float(each[column]) for each in objects if each[column]])
        summed = column in ("volume_um3", "surface_area_um2") or column.startswith("sum_intensity")
        expected = {
            "n": len(values),
            "mean": math.fsum(values) / len(values) if len(values) else None,
            "sd": np.std(values, ddof=1) if len(values) > 1 else None,
            "min": min(values, default=None),
            "max": max(values, default=None),
            "total": values.sum() if summed else None,
        }
        for name, percent in (("median", 50), *((f"p{p}", p) for p in (5, 25, 75, 95))):
            rank = percent / 100 * (len(values) - 1)
            found = np.interp(rank, range(len(values)), np.sort(values)) if len(values) else None
            expected[name] = found
        assert row.keys() == {"stack", "object", "column", "unit", *expected}
        for name, value in expected.items():  # cells of objects.csv are rounded
            assert (row[name] == "") == (value is None), (column, name)
            if value is not None:
                assert float(row[name]) == pytest.approx(value, rel=1e-7, abs=1e-9), (column, name)
        assert row in rows_of(study, "statistics.csv", stack=stack, object=kind)


@pytest.mark.parametrize(("stack", "kind"), SCORED)
def test_scores(study, stack, kind):
    *_, iou = scored(study, stack, kind)
    table = rows_of(study, "scores.csv", stack=stack, object=kind)
    for row, threshold in zip(table, np.arange(1, 10) / 10, strict=True):
        matched = iou[match(iou, threshold)]
        expected = {
            "stack": stack,
            "object": kind,
            "ground_truth": "outlines",
            "iou_threshold": threshold,
            "true_positives": len(matched),
            "false_positives": iou.shape[1] - len(matched),
            "false_negatives": iou.shape[0] - len(matched),
            "mean_matched_iou": matched.mean() if len(matched) else None,
        }
        assert_row(row, expected | rates(iou, threshold))


@pytest.mark.parametrize(("stack", "kind"), SCORED)
def test_stack_scores(study, stack, kind):
    real, labels, shared, real_voxels, found_voxels, iou = scored(study, stack, kind)
    real_voxels, found_voxels, both = real_voxels[1:], found_voxels[1:], shared[1:, 1:]
    detects = both > real_voxels[:, None] / 2
    detected, detectors = detects.any(axis=1).sum(), detects.any(axis=0).sum()
    cost = 5 * (detected - detectors) + 10 * (len(iou) - detected) + iou.shape[1] - detectors
    best = iou.argmax(axis=1)
    paired = both[range(len(iou)), best]
    unions = real_voxels + found_voxels[best] * (paired > 0) - paired
    unused = np.delete(found_voxels, best[paired > 0]).sum()
    # what is split and merged: the parts of each object
    of_real = (both > found_voxels / 2) & (both >= real_voxels[:, None] / 10)
    of_found = (both > real_voxels[:, None] / 2) & (both >= found_voxels / 10)
    split, merged = of_real.sum(axis=1) > 1, of_found.sum(axis=0) > 1
    is_part = (of_real & split[:, None]).any(axis=0)
    is_merged_part = (of_found & merged).any(axis=1)
    rows, columns = match(iou, 0.1)
    missed = np.delete(~(split | is_merged_part), rows)
    spurious = np.delete(~(merged | is_part), columns)
    explained = split[rows] | is_merged_part[rows] | merged[columns] | is_part[columns]
    split_bit, merge_bit = metrics.variation_of_information(real, labels, ignore_labels=(0,))
    at_half = match(iou, 0.5)
    excess = found_voxels[at_half[1]] - real_voxels[at_half[0]]
    percent = 100 * excess / real_voxels[at_half[0]]
    pairs = zip(*at_half, strict=True)
    distances = [surface_distance(real == a + 1, labels == b + 1) for a, b in pairs]
    expected = {
        "stack": stack,
        "object": kind,
        "ground_truth": "outlines",
        "count_ground_truth": len(iou),
        "count_found": iou.shape[1],
        **rates(iou, 0.5),
        "f1_uncorrected": None,
        "seg": iou[detects].sum() / len(iou),
        "det": 1 - min(cost / (10 * len(iou)), 1),
        "aggregated_jaccard_index": paired.sum() / (unions.sum() + unused),
        "adapted_rand_error": metrics.adapted_rand_error(real, labels, ignore_labels=(0,))[0],
        "variation_of_information_split_bit": split_bit,
        "variation_of_information_merge_bit": merge_bit,
        "count_split": split.sum(),
        "count_merged": merged.sum(),
        "count_missed": missed.sum(),
        "count_spurious": spurious.sum(),
        "count_low_iou": ((iou[rows, columns] < 0.5) & ~explained).sum(),
        "volume_bias_um3": excess.mean() * VOXEL,
        "volume_bias_percent": percent.mean(),
        "volume_bias_median_percent": np.median(percent),
        "volume_sd_percent": np.std(percent, ddof=1),
        "mean_surface_distance_um": np.mean(distances),
    }
    (row,) = rows_of(study, "stack_scores.csv", stack=stack, object=kind)
    assert_row(row, expected)
