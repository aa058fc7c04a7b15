import os
from pathlib import Path

import pytest

from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.files import fingerprints

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
MEMBRANE = {"stack": "a", "channel": "membrane", "image": "m.tif"}


@pytest.fixture
def inputs_of(load_study):
    def load(rows, *arguments, **config):
        study = load_study(rows, *arguments, **config)
        return Inputs(study, Recipes(study))

    return load


def test_raw_stacks_of_all_channels(inputs_of):
    inputs = inputs_of([NUCLEI, MEMBRANE])
    assert inputs.raw_stacks("a") == [
        "<results>/a/channels/nuclei/raw.tif",
        "<results>/a/channels/membrane/raw.tif",
    ]
    assert inputs.import_records("a") == [
        "<results>/a/channels/nuclei/import.json",
        "<results>/a/channels/membrane/import.json",
    ]
    assert inputs.raw_of_object("a", "cells") == "<results>/a/channels/membrane/raw.tif"
    assert inputs.nuclei_within_cells("a", "cells") == ["<results>/a/channels/nuclei/raw.tif"]
    assert inputs.nuclei_within_cells("a", "nuclei") == []
    assert inputs.tables_of_object_kind("a", "cells") == [
        "<results>/a/cells/pairs.csv",
        "<results>/a/cells/neighborhood.csv",
    ]


def test_neighbors_are_measured_if_one_of_their_groups_is_on(inputs_of):
    nuclei = "<results>/a/nuclei/segmentation.tif"
    for groups, tables, others in (
        (["surface"], 0, []),
        (["neighbors"], 1, []),
        (["other_kind"], 1, [nuclei]),
    ):
        inputs = inputs_of([NUCLEI, MEMBRANE], measure_objects={"columns": groups})
        joined = inputs.tables_of_object_kind("a", "nuclei")
        assert joined == ["<results>/a/nuclei/neighborhood.csv"] * tables
        assert inputs.objects_of_other_kind("a", "cells") == others
    assert (
        inputs_of([NUCLEI], measure_objects={"columns": ["other_kind"]}).objects_of_other_kind(
            "a", "nuclei"
        )
        == []
    )


def test_the_record_and_the_raw_stack_of_a_channel_say_where_data_are_missing(inputs_of):
    inputs = inputs_of([NUCLEI, MEMBRANE])
    for channel in ("nuclei", "membrane"):
        files = inputs.no_data("a", channel)
        assert [Path(file).name for file in files] == ["import.json", "raw.tif"]
        assert all(file.endswith(f"/a/channels/{channel}/{Path(file).name}") for file in files)
        assert inputs.import_record("a", channel) == files[:1]
    only_nuclei = inputs_of([NUCLEI])
    assert only_nuclei.no_data("a", "membrane") == only_nuclei.import_record("a", "membrane") == []


def test_only_nuclei_that_are_segmented_have_records_of_their_mask(inputs_of):
    inputs = inputs_of([NUCLEI, MEMBRANE])
    threshold, cleaned = inputs.mask_records("a", "nuclei")
    assert threshold.endswith("/a/nuclei/threshold.json")
    assert cleaned.endswith("/a/nuclei/mask_clean.json")
    assert inputs.mask_records("a", "cells") == []
    labelled = inputs_of([NUCLEI | {"labels": "l.tif"}])
    assert labelled.mask_records("a", "nuclei") == []


def test_a_remote_image_is_not_a_file(inputs_of):
    url = "https://example.org/a.zarr"
    inputs = inputs_of([NUCLEI | {"image": url}, MEMBRANE])
    assert inputs.remote_image("a", "nuclei") == url
    assert inputs.remote_image("a", "membrane") is None
    assert inputs.external_files("image", "a", "nuclei") == []
    assert inputs.stamp("image", "a", "nuclei") == fingerprints.stamp_of([])


def test_external_files_and_their_stamp(inputs_of):
    nuclei = NUCLEI | {"labels": "l.tif", "ground_truth": "t.tif"}
    cells = MEMBRANE | {"labels": "k.tif", "ground_truth": "g.tif"}
    inputs = inputs_of([nuclei, cells], "binarize.method\nli\n")
    files = [
        ("image", "nuclei", "a.tif", "results/a/channels/nuclei/raw.tif"),
        ("labels", "nuclei", "l.tif", "results/a/nuclei/segmentation.tif"),
        ("ground_truth", "nuclei", "t.tif", "results/a/nuclei/ground_truth.tif"),
        ("image", "membrane", "m.tif", "results/a/channels/membrane/raw.tif"),
        ("labels", "membrane", "k.tif", "results/a/cells/segmentation.tif"),
        ("ground_truth", "membrane", "g.tif", "results/a/cells/ground_truth.tif"),
    ]
    for size, (column, channel, file, output) in enumerate(files, 1):
        assert inputs.external_files(column, "a", channel) == [file]
        assert inputs.made_files(column, "a", channel) == []
        Path(file).write_bytes(bytes(size))
        os.utime(file, ns=(5, 7))
        stamp = inputs.stamp(column, "a", channel)
        assert stamp == fingerprints.stamp_of([file])
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        fingerprints.write_record([file], output, stamp)
        os.utime(file, ns=(5, 8))
        for unit in ("a", "sweep/1/a"):  # the runs of a sweep use the same files
            assert inputs.stamp(column, unit, channel) == stamp  # the same content
        Path(file).write_bytes(b"other" * size)
        os.utime(file, ns=(5, 9))
        assert inputs.stamp(column, "a", channel) != stamp
        Path(file).unlink()
        assert inputs.external_files(column, "a", channel) == [file]
        assert inputs.stamp(column, "a", channel) == fingerprints.stamp_of(["none"])


def test_only_stages_with_sizes_need_the_file_of_the_diameter(inputs_of):
    rows = [NUCLEI | {"diameter_um": "auto"}, MEMBRANE]
    inputs = inputs_of(rows, binarize={"method": "otsu"})
    assert inputs.diameter_for("find_seeds", "a", "nuclei") == ["<results>/a/nuclei/diameter.json"]
    assert inputs.diameter_for("binarize", "a", "nuclei") == []
    assert inputs_of([NUCLEI]).diameter_for("find_seeds", "a", "nuclei") == []


def test_files_that_a_rule_makes_are_inputs(inputs_of):
    image = "resources/simulated/tiny/image.ome.tif"
    inputs = inputs_of([NUCLEI | {"image": image}], simulate_stack={"tiny": {}})
    assert inputs.made_files("image", "a", "nuclei") == [image]
    assert inputs.external_files("image", "a", "nuclei") is None
    assert inputs.stamp("image", "a", "nuclei") is None


def test_seeds_are_those_of_nuclei_that_are_segmented(inputs_of):
    inputs = inputs_of([NUCLEI, NUCLEI | {"stack": "b", "labels": "l.tif"}, MEMBRANE])
    assert inputs.seeds_of_object("a", "nuclei") == ["<results>/a/nuclei/seeds.tif"]
    assert inputs.seeds_of_object("b", "nuclei") == inputs.seeds_of_object("a", "cells") == []


@pytest.mark.parametrize(
    ("method", "image", "edges"),
    [
        ("distance", "denoised", []),
        ("undenoised_intensity", "contrast", []),
        ("edges", "denoised", ["<results>/a/channels/nuclei/edges.tif"]),
        ("blend", "denoised", ["<results>/a/channels/nuclei/edges.tif"]),
    ],
)
def test_split_objects_reads_what_its_method_needs(inputs_of, method, image, edges):
    inputs = inputs_of([NUCLEI], split_objects={"method": method})
    assert inputs.split_image("a") == f"<results>/a/channels/nuclei/{image}.tif"
    assert inputs.split_edges("a") == edges


def test_the_corrected_image_is_used_if_there_are_steps(inputs_of):
    inputs = inputs_of([NUCLEI])
    assert inputs.contrast_image("a", "nuclei") == "<results>/a/channels/nuclei/raw.tif"
    assert inputs.corrected_image("a") == []
    inputs = inputs_of([NUCLEI], correct_background={"steps": ["gaussian"]})
    assert inputs.contrast_image("a", "nuclei") == "<results>/a/channels/nuclei/corrected.tif"
    assert inputs.corrected_image("a") == ["<results>/a/channels/nuclei/corrected.tif"]


def test_binarize_reads_the_contrast_for_its_noise(inputs_of):
    expected = ["<results>/a/channels/nuclei/contrast.tif"]
    assert inputs_of([NUCLEI]).binarize_contrast("a") == expected
    assert inputs_of([NUCLEI], binarize={"method": "otsu"}).binarize_contrast("a") == []


def test_seed_points_are_used_once_they_exist(inputs_of):
    inputs = inputs_of([NUCLEI], "binarize.method\nli\n", find_seeds={"method": "points"})
    assert inputs.seed_points("a") == []
    Path("seeds").mkdir()
    Path("seeds/a.csv").touch()
    assert inputs.seed_points("a") == inputs.seed_points("sweep/1/a") == ["seeds/a.csv"]
    stamps = [inputs.seed_points_stamp("a")]
    for text, time in (("first", 9), ("other", 8), ("other", 7)):  # the times do not matter
        Path("seeds/a.csv").write_text(text)
        os.utime("seeds/a.csv", ns=(5, time))
        stamps.append(inputs.seed_points_stamp("a"))
    assert len(set(stamps)) == 3
    assert stamps[2] == stamps[3]


def test_runs_of_a_sweep_are_scored_against_the_same_ground_truth(inputs_of):
    inputs = inputs_of([NUCLEI | {"ground_truth": "t.tif"}], "binarize.method\nli\n")
    assert inputs.ground_truths("sweep/1/a") == ["<results>/a/nuclei/ground_truth.tif"]
    assert inputs.scored_segmentations("sweep/1/a") == [
        "<results>/sweep/1/a/nuclei/segmentation.tif"
    ]


def test_nuclei_and_cells_are_scored_where_the_sheet_has_a_ground_truth(inputs_of):
    inputs = inputs_of([NUCLEI, MEMBRANE | {"ground_truth": "t.tif"}])
    assert inputs.ground_truths("a") == ["<results>/a/cells/ground_truth.tif"]
    (found,) = inputs.scored_segmentations("a")
    assert found == "<results>/a/cells/segmentation.tif"
    # A run of a sweep that changes only the cells has other cells.
    rows = [NUCLEI | {"ground_truth": "t.tif"}, MEMBRANE | {"ground_truth": "c.tif"}]
    inputs = inputs_of(rows, "segment_cells.wall_weight\n0.5\n")
    assert inputs.scored_segmentations("sweep/1/a") == [
        "<results>/a/nuclei/segmentation.tif",
        "<results>/sweep/1/a/cells/segmentation.tif",
    ]


def test_stacks_without_nuclei(inputs_of):
    inputs = inputs_of([MEMBRANE | {"labels": "l.tif", "diameter_um": 9}])
    assert inputs.segmented_nuclei("a") == []
    assert inputs_of([NUCLEI]).segmented_nuclei("a") == ["<results>/a/nuclei/segmentation.tif"]


def test_the_first_kind_of_object_of_each_stack(inputs_of):
    inputs = inputs_of([NUCLEI, MEMBRANE, MEMBRANE | {"stack": "b", "diameter_um": 9}])
    assert inputs.first_segmentation("a") == "<results>/a/nuclei/segmentation.tif"
    assert inputs.first_segmentation("b") == "<results>/b/cells/segmentation.tif"
    assert [each["stack"] for each in inputs.images_of("b")] == ["b"]
