"""Stacks that are cut into blocks: the files, the same results as at once, and errors."""

import json

import numpy as np
import pytest
from corrections import core, correction, write_table
from study import Study, jobs, write_pair

from cellstack.config.gallery import SECTIONS
from cellstack.files.stacks import read_stack
from cellstack.files.tables import read_rows

SHAPE, SPACING = (30, 120, 130), (1.0, 0.4, 0.45)
BLOCKS = {"counts": [2, 2, 2], "overlap_um": 16}


def write_study(folder, **config):
    study = Study(folder)
    write_pair(study.folder, "colony", spacing=SPACING, shape=SHAPE, count=25)
    study.add("colony", image="colony-nuclei.tif", ground_truth="colony-truth.tif")
    study.config |= config
    return study


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("uncut"))
    process = study.run("results/colony/nuclei/objects.csv", "results/stacks.csv", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("cut"), split_into_blocks=BLOCKS)
    targets = ("results/index.html", "results/colony/nuclei/objects.csv", "results/stacks.csv")
    process = study.run(*targets, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process)["cut_block"] == jobs(process)["smooth_outlines"] == 8
    assert jobs(process)["import_stack"] == jobs(process)["join_blocks"] == 1
    return study


def test_the_results_are_those_of_the_uncut_stack(cut, uncut):
    labels, expected = (
        read_stack(study.result("colony", "nuclei", "segmentation.tif"))[0]
        for study in (cut, uncut)
    )
    assert labels.max() == expected.max() >= 15
    assert np.mean(labels != expected) < 1e-4
    found, whole = (
        json.loads(study.result("colony", "nuclei", "threshold.json").read_text())
        for study in (cut, uncut)
    )
    assert (found.pop("method"), found.pop("threshold")) == ("per_object", None)
    assert found.pop("seam_disagreements") == 0
    assert found == pytest.approx({name: whole[name] for name in found}, rel=1e-4)
    # the image before denoising is not read in blocks
    assert whole.keys() == found.keys() | {"method", "threshold", "clipped_fraction"}
    record = json.loads(cut.result("colony", "nuclei", "joined.json").read_text())
    assert record["blocks"] == 8
    assert record["objects"] == expected.max()
    assert record["at_seams"] > 0
    assert "blocks disagreed on 0" in cut.log("colony", "nuclei", "join_blocks.log").read_text()


def test_a_second_run_does_nothing(cut):
    assert "Nothing to be done" in cut.run("results/colony/nuclei/objects.csv").stderr


def test_a_lost_block_is_made_again(cut):
    joined = cut.result("colony", "nuclei", "segmentation.tif")
    block = cut.result("colony", "blocks", "0-1-0", "nuclei", "segmentation.tif")
    before = joined.read_bytes(), block.read_bytes()
    joined.unlink()
    block.unlink()
    process = cut.run("results/colony/nuclei/segmentation.tif")
    assert process.returncode == 0, process.stderr[-4000:]
    counts = jobs(process)
    assert counts["join_blocks"] == counts["smooth_outlines"] == 1
    assert (joined.read_bytes(), block.read_bytes()) == before


def test_corrections_are_applied_to_the_joined_stack(cut):
    labels, spacing = read_stack(cut.result("colony", "nuclei", "segmentation.tif"))
    place, other = (core(labels == label, spacing) for label in (3, 7))
    added = [correction("delete", place), correction("delete", other), correction("add", other)]
    write_table(cut.folder / "corrections.csv", added)
    cut.config["corrections"] = "corrections.csv"
    try:
        process = cut.run("results/colony/nuclei/corrections.csv")
    finally:
        del cut.config["corrections"]
    assert process.returncode == 0, process.stderr[-4000:]
    # no block is segmented again; objects are added where the complete stack is bright
    expected = {"join_uncorrected": 1, "adjust_contrast": 1, "denoise": 1, "correct_objects": 1}
    assert jobs(process) == expected
    uncorrected, _ = read_stack(cut.result("colony", "nuclei", "uncorrected.tif"))
    np.testing.assert_array_equal(uncorrected, labels)
    corrected, _ = read_stack(cut.result("colony", "nuclei", "segmentation.tif"))
    assert corrected.max() == labels.max() - 1
    assert not corrected[labels == 3].any()
    assert corrected[labels == 7].any()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            {"denoise": {"method": "total_variation"}},
            "denoise.method is total_variation, which ends when a complete plane or stack has "
            "converged: set it to one of none, gaussian, median, bilateral, non_local_means",
        ),
        (
            {"diameter_um": {"nuclei": "auto"}, "split_into_blocks": {"counts": [2, 2, 2]}},
            "the overlap depends on the diameter of its nuclei, which is estimated: set "
            "estimate_diameter.max_um to the largest one that is possible",
        ),
        (
            {"adjust_contrast": {"steps": ["clahe", "percentile_stretch", "clahe"]}},
            "adjust_contrast.steps has clahe several times: use it once",
        ),
    ],
)
def test_what_cannot_be_cut_is_refused_before_any_job(tmp_path, config, reason):
    study = write_study(tmp_path, **{"split_into_blocks": BLOCKS, **config})
    process = study.run("-n")
    assert process.returncode != 0
    message = f"config.split_into_blocks: colony cannot be cut into blocks: {reason}"
    assert message in process.stderr + process.stdout
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("methods", "rules"),
    [
        ({"binarize": {"method": "li"}}, ["measure_intensities", "measure_threshold"]),
        (
            {
                "adjust_contrast": {"steps": ["percentile_stretch", "clahe"]},
                "binarize": {"method": "hysteresis"},
                "find_seeds": {"planes": "half_filled", "plane_range_um": "1 d"},
            },
            ["measure_tiles", "connect_mask", "choose_planes"],
        ),
    ],
)
def test_an_estimated_diameter_and_methods_that_look_at_the_complete_stack(
    tmp_path, methods, rules
):
    """The rules of blocks use the same estimate, background and threshold as the uncut stack."""
    settings = {
        "diameter_um": {"nuclei": "auto"},
        "estimate_diameter": {"max_um": 9},
        "correct_background": {
            "steps": ["white_tophat", "depth_attenuation"],
            "white_tophat": {"shape": "square", "radius_um": "0.7 d"},
        },
        **methods,
    }
    blocks = {"counts": [1, 2, 1], "overlap_um": 16}
    found = []
    for name, config in (("uncut", settings), ("cut", settings | {"split_into_blocks": blocks})):
        folder = tmp_path / name
        folder.mkdir()
        study = write_study(folder, **config)
        process = study.run("results/colony/nuclei/segmentation.tif", cores=2)
        assert process.returncode == 0, process.stderr[-4000:]
        found.append((study, jobs(process)))
    (uncut, _), (cut, counts) = found
    assert counts["estimate_diameter"] == 1
    assert {counts[rule] for rule in rules} == {1}
    assert counts["binarize"] == counts["cut_block"] == 2
    assert "find_blobs" not in counts
    for file in ("segmentation.tif", "diameter.json"):
        paths = [study.result("colony", "nuclei", file) for study in (uncut, cut)]
        assert paths[0].read_bytes() == paths[1].read_bytes(), file
    records = [
        json.loads(study.result("colony", "nuclei", "threshold.json").read_text())
        for study in (uncut, cut)
    ]
    assert records[1].pop("seam_disagreements") == 0
    assert records[1] == pytest.approx(records[0])
    assert read_stack(cut.result("colony", "nuclei", "segmentation.tif"))[0].max() >= 10
    cut.config["split_into_blocks"] = {"counts": [1, 2, 1]}  # the overlap follows from max_um
    assert jobs(cut.run("-n", "results/colony/nuclei/segmentation.tif"))["cut_block"] == 2


def write_cells(folder, **config):
    """Write a study of two stacks with cells, of which one has nuclei from another program."""
    study = Study(folder)
    write_pair(study.folder, "colony", spacing=SPACING, shape=(20, 90, 100), count=15)
    study.add("both", image="colony-nuclei.tif", labels="colony-truth.tif")
    study.add("both", "membrane", image="colony-membrane.tif")
    study.add("membrane", "membrane", image="colony-membrane.tif")
    study.config["diameter_um"] = {"nuclei": 8, "cells": 11}
    study.config |= config
    return study


def test_cells_are_those_of_the_uncut_stack(tmp_path):
    blocks = {"counts": [1, 2, 2], "overlap_um": 16}
    found = []
    for name, config in (("uncut", {}), ("cut", {"split_into_blocks": blocks})):
        folder = tmp_path / name
        folder.mkdir()
        study = write_cells(folder, **config)
        files = [f"results/{stack}/cells/contacts.csv" for stack in ("both", "membrane")]
        process = study.run(*files, cores=2)
        assert process.returncode == 0, process.stderr[-4000:]
        found.append((study, jobs(process)))
    (uncut, _), (cut, counts) = found
    assert counts["segment_cells"] == counts["find_cell_seeds"] == 8
    assert counts["join_cell_seeds"] == counts["join_regions"] == counts["merge_cells"] == 2
    assert "cut_block" not in counts
    for stack in ("both", "membrane"):
        for file in ("segmentation.tif", "contacts.csv", "membrane_ridges.tif"):
            paths = [study.result(stack, "cells", file) for study in (uncut, cut)]
            assert paths[0].read_bytes() == paths[1].read_bytes(), (stack, file)
        record = json.loads(cut.result(stack, "cells", "joined.json").read_text())
        assert record["blocks"] == 4
        assert record["at_seams"] >= 10
        assert record["seam_disagreements"] <= 2  # background reaches beyond this overlap
        assert record["contested_voxels"] < 0.005 * 20 * 90 * 100
    assert read_stack(cut.result("both", "cells", "segmentation.tif"))[0].max() >= 10


def test_blocks_follow_from_their_size(tmp_path):
    study = write_study(tmp_path, split_into_blocks={"max_voxels": 250_000, "overlap_um": 4})
    process = study.run("-n", "results/colony/nuclei/segmentation.tif")
    assert process.returncode == 0, process.stderr
    assert jobs(process)["cut_block"] >= 2
    study.config["split_into_blocks"] = {"max_voxels": 1_000, "overlap_um": 4}
    process = study.run("-n")
    assert (
        "config.split_into_blocks.max_voxels: 1000 is too small" in process.stderr + process.stdout
    )
    study.config["split_into_blocks"] = {"max_voxels": 30 * 120 * 130}
    assert "cut_block" not in jobs(study.run("-n"))


def test_the_gallery_shows_the_block_in_the_middle(cut):
    process = cut.run("gallery", "explore", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    done = jobs(process)
    assert done["compare_seeds"] == done["write_gallery"] == done["write_explorer"] == 1
    assert not any(name.startswith("try_") for name in done)
    folder = cut.result("colony", "blocks", "1-1-1", "gallery")
    shape = read_stack(cut.result("colony", "blocks", "1-1-1", "nuclei", "mask.tif"))[0].shape
    assert json.loads((folder / "view.json").read_text())["shape"] == list(shape)
    page = cut.result("colony", "gallery", "index.html").read_text()
    assert "Block 1-1-1 of the stack is shown, with its overlap: voxels z " in page
    for section in SECTIONS:
        assert f'<section id="{section}">' in page
    (own,) = read_rows(folder / "final_labels.csv")
    labels = read_stack(cut.result("colony", "nuclei", "segmentation.tif"))[0]
    within = labels[tuple(slice(-side, None) for side in shape)]  # the last block along all axes
    assert int(own["count"]) == np.count_nonzero(np.unique(within)) > 3
    assert float(own["f1"]) > 0.9
    explorer = cut.result("colony", "explore.html").read_text()
    assert "Block 1-1-1 of the stack is shown" in explorer
    assert '"methods of denoise"' in explorer


def test_a_row_of_the_gallery_is_one_of_the_block_in_the_middle(tmp_path):
    study = write_study(tmp_path, split_into_blocks=BLOCKS, choose_view={"row": 1})
    process = study.run("results/colony/blocks/1-1-1/gallery/view.json", cores=2)
    assert process.returncode != 0
    output = process.stderr + process.stdout
    assert "choose_view.row: 1 is outside the block in the middle of the stack" in output
    last = SHAPE[1] - 1
    study.config["choose_view"] = {"row": last}
    process = study.run("results/colony/blocks/1-1-1/gallery/view.json", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    view = json.loads(study.result("colony", "blocks", "1-1-1", "gallery", "view.json").read_text())
    assert view["row"] == view["shape"][1] - 1 < last
