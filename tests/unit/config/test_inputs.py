import os
from pathlib import Path

import pytest

from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.errors import InputError
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
        assert inputs.neighbor_tables() == ["<results>/neighbors.csv"] * tables
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


def test_all_runs_of_a_sweep_are_scored(inputs_of):
    rows = [NUCLEI | {"stack": stack, "ground_truth": "t.tif"} for stack in "ab"]
    inputs = inputs_of(rows, "binarize.method\nli\nmean\n")
    assert inputs.sweep_scores() == [
        f"<results>/{run}{stack}/scores.json"
        for run in ("", "sweep/1/", "sweep/2/")
        for stack in "ab"
    ]
    with pytest.raises(InputError, match=r"config\.sweep is missing"):
        inputs_of(rows).sweep_scores()
    labelled = inputs_of([NUCLEI | {"labels": "l.tif"}], "binarize.method\nli\n")
    with pytest.raises(InputError, match="no row to sweep"):
        labelled.sweep_scores()


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
    assert inputs.volume_figures() == ["<results>/figures/cells_volumes.png"]
    assert inputs_of([NUCLEI]).segmented_nuclei("a") == ["<results>/a/nuclei/segmentation.tif"]


def test_the_evaluation_needs_a_ground_truth(inputs_of):
    with pytest.raises(InputError, match="no row names a ground truth"):
        inputs_of([NUCLEI]).evaluation_page()
    inputs = inputs_of([NUCLEI | {"ground_truth": "t.tif"}])
    assert inputs.evaluation_page() == "<results>/evaluation.html"
    assert inputs.score_tables() == ["<results>/scores.csv"]
    assert inputs.error_figures() == ["<results>/a/figures/nuclei_errors.png"]


def test_a_page_of_scores_that_exists_is_kept_up_to_date(inputs_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path("results", "evaluation.html")
    scored = inputs_of([NUCLEI | {"ground_truth": "t.tif"}])
    assert scored.existing_evaluation() == []
    page.parent.mkdir(exist_ok=True)
    page.touch()
    assert scored.existing_evaluation() == [
        "<results>/evaluation.html",
        "<results>/figures/nuclei_scores.png",
    ]
    assert inputs_of([NUCLEI]).existing_evaluation() == []


def test_many_stacks_have_several_pages_of_volumes(inputs_of):
    inputs = inputs_of([NUCLEI | {"stack": f"s{i}"} for i in range(61)])
    figures = inputs.volume_figures()
    assert figures == [
        "<results>/figures/nuclei_volumes.png",
        "<results>/figures/nuclei_volumes_2.png",
    ]
    assert [inputs.page_number(page) for page in ("", "_2", "_13")] == [1, 2, 13]


def test_targets_of_all_stacks(inputs_of):
    inputs = inputs_of([NUCLEI | {"diameter_um": "auto"}, MEMBRANE])
    assert inputs.diameter_figures() == ["<results>/a/figures/nuclei_diameter.png"]
    assert inputs.estimated_diameters() == [
        "<results>/a/nuclei/diameter.json",
        "<results>/a/cells/diameter.json",
    ]
    assert inputs.volume_figures() == [
        "<results>/figures/nuclei_volumes.png",
        "<results>/figures/cells_volumes.png",
    ]
    assert inputs.contact_tables() == ["<results>/a/cells/contacts.csv"]
    assert inputs.gallery_pages() == ["<results>/a/gallery/index.html"]


def test_figures_for_papers_follow_the_kinds_of_object_of_each_stack(inputs_of):
    rows = [NUCLEI | {"diameter_um": "auto"}, MEMBRANE, MEMBRANE | {"stack": "b", "diameter_um": 9}]
    inputs = inputs_of(rows)
    names = {"a": ["nuclei", "cells"], "b": ["cells"]}
    expected = {"<results>/a/figures/nuclei_diameter.pdf"}
    for stack, kinds in names.items():
        expected.add(f"<results>/{stack}/figures/composite.png")
        for kind in kinds:
            for end in ("segmentation.pdf", "channels.png", "surfaces.png"):
                expected.add(f"<results>/{stack}/figures/{kind}_{end}")
    assert set(inputs.figures_for_papers()) == expected
    assert inputs.first_segmentation("a") == "<results>/a/nuclei/segmentation.tif"
    assert inputs.first_segmentation("b") == "<results>/b/cells/segmentation.tif"


def test_curves_of_scores_need_outlines(inputs_of):
    nuclei = NUCLEI | {"ground_truth": "points.csv"}
    cells = MEMBRANE | {"ground_truth": "g.tif"}
    assert inputs_of([nuclei, cells]).score_figures() == ["<results>/figures/cells_scores.png"]
    assert inputs_of([NUCLEI]).score_figures() == []


def test_figures_of_the_page_come_in_the_order_of_the_sheet(inputs_of):
    rows = [NUCLEI | {"diameter_um": "auto"}, MEMBRANE, NUCLEI | {"stack": "b"}]
    assert inputs_of(rows).figures() == [
        "<results>/figures/nuclei_volumes.png",
        "<results>/figures/cells_volumes.png",
        "<results>/a/figures/nuclei_segmentation.png",
        "<results>/a/figures/nuclei_planes.png",
        "<results>/a/figures/cells_segmentation.png",
        "<results>/a/figures/cells_planes.png",
        "<results>/a/figures/nuclei_diameter.png",
        "<results>/b/figures/nuclei_segmentation.png",
        "<results>/b/figures/nuclei_planes.png",
    ]


def test_images_with_a_date_are_those_of_the_user(inputs_of):
    simulated = "resources/simulated/x/image.ome.tif"
    rows = [NUCLEI, MEMBRANE | {"image": "a.tif"}, NUCLEI | {"stack": "b", "image": simulated}]
    simulation = {"x": {"shape": [4, 9, 9], "spacing": [1, 1, 1], "nuclei_count": 1}}
    inputs = inputs_of(rows, simulate_stack=simulation)
    assert inputs.external_images() == ["a.tif"]
    assert [each["stack"] for each in inputs.images_of("b")] == ["b"]
    assert inputs.all_channels("raw.tif", ["b"]) == ["<results>/b/channels/nuclei/raw.tif"]
