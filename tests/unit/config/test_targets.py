from pathlib import Path

import pytest

from cellstack.errors import InputError

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
MEMBRANE = {"stack": "a", "channel": "membrane", "image": "m.tif"}


@pytest.fixture
def targets_of(load_study, make_targets):
    def load(rows, *arguments, **config):
        return make_targets(load_study(rows, *arguments, **config))

    return load


def test_neighbors_have_a_table_if_one_of_their_groups_is_on(targets_of):
    for group, tables in (("surface", 0), ("neighbors", 1), ("other_kind", 1)):
        targets = targets_of([NUCLEI, MEMBRANE], measure_objects={"columns": [group]})
        assert targets.neighbor_tables() == ["<results>/neighbors.csv"] * tables


def test_an_archive_has_the_means_of_units_and_the_corrections(targets_of, tmp_path):
    rows = [NUCLEI | {"stack": stack, "condition": stack} for stack in "ab"]
    (tmp_path / "c.csv").write_text("stack,object,action,z_um,y_um,x_um\nb,nuclei,delete,1,1,1\n")
    targets = targets_of(rows, corrections="c.csv")
    archived = set(targets.archived_results([]))
    assert {"<results>/group_units.csv", "<results>/b/nuclei/corrections.csv"} < archived
    assert "<results>/a/nuclei/corrections.csv" not in archived
    assert targets.files_of_configuration() == ["c.csv"]
    classified = targets_of([NUCLEI], classify_objects={"nuclei": {"big": "volume_um3 > 9"}})
    assert "<results>/a/nuclei/classes.json" in classified.archived_results([])
    alone = targets_of([NUCLEI]).archived_results([])
    assert not [path for path in alone if path.endswith(("group_units.csv", "corrections.csv"))]


def test_volumes_of_cells_alone_have_a_figure(targets_of):
    targets = targets_of([MEMBRANE | {"diameter_um": 9}])
    assert targets.volume_figures() == ["<results>/figures/cells_volumes.png"]


def test_all_runs_of_a_sweep_are_scored(targets_of):
    rows = [NUCLEI | {"stack": stack, "ground_truth": "t.tif"} for stack in "ab"]
    targets = targets_of(rows, "binarize.method\nli\nmean\n")
    assert targets.sweep_scores() == [
        f"<results>/{run}{stack}/scores.json"
        for run in ("", "sweep/1/", "sweep/2/")
        for stack in "ab"
    ]
    with pytest.raises(InputError, match=r"config\.sweep is missing"):
        targets_of(rows).sweep_scores()
    labelled = targets_of([NUCLEI | {"labels": "l.tif"}], "binarize.method\nli\n")
    with pytest.raises(InputError, match="no row to sweep"):
        labelled.sweep_scores()


def test_the_evaluation_needs_a_ground_truth(targets_of):
    with pytest.raises(InputError, match="no row names a ground truth"):
        targets_of([NUCLEI]).evaluation_page()
    targets = targets_of([NUCLEI | {"ground_truth": "t.tif"}])
    assert targets.evaluation_page() == "<results>/evaluation.html"
    assert targets.score_tables() == ["<results>/scores.csv"]
    assert targets.error_figures() == ["<results>/a/figures/nuclei_errors.png"]


def test_a_page_of_scores_that_exists_is_kept_up_to_date(targets_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path("results", "evaluation.html")
    scored = targets_of([NUCLEI | {"ground_truth": "t.tif"}])
    assert scored.existing_evaluation() == []
    page.parent.mkdir(exist_ok=True)
    page.touch()
    assert scored.existing_evaluation() == [
        "<results>/evaluation.html",
        "<results>/figures/nuclei_scores.png",
    ]
    assert targets_of([NUCLEI]).existing_evaluation() == []


def test_many_stacks_have_several_pages_of_volumes(targets_of):
    targets = targets_of([NUCLEI | {"stack": f"s{i}"} for i in range(61)])
    figures = targets.volume_figures()
    assert figures == [
        "<results>/figures/nuclei_volumes.png",
        "<results>/figures/nuclei_volumes_2.png",
    ]
    assert [targets.page_number(page) for page in ("", "_2", "_13")] == [1, 2, 13]


def test_targets_of_all_stacks(targets_of):
    targets = targets_of([NUCLEI | {"diameter_um": "auto"}, MEMBRANE])
    assert targets.diameter_figures() == ["<results>/a/figures/nuclei_diameter.png"]
    assert targets.estimated_diameters() == [
        "<results>/a/nuclei/diameter.json",
        "<results>/a/cells/diameter.json",
    ]
    assert targets.volume_figures() == [
        "<results>/figures/nuclei_volumes.png",
        "<results>/figures/cells_volumes.png",
    ]
    assert targets.contact_tables() == ["<results>/a/cells/contacts.csv"]
    assert targets.gallery_pages() == ["<results>/a/gallery/index.html"]


def test_figures_for_papers_follow_the_kinds_of_object_of_each_stack(targets_of):
    rows = [NUCLEI | {"diameter_um": "auto"}, MEMBRANE, MEMBRANE | {"stack": "b", "diameter_um": 9}]
    targets = targets_of(rows)
    names = {"a": ["nuclei", "cells"], "b": ["cells"]}
    expected = {"<results>/a/figures/nuclei_diameter.pdf"}
    for stack, kinds in names.items():
        expected.add(f"<results>/{stack}/figures/composite.png")
        for kind in kinds:
            for end in ("segmentation.pdf", "channels.png", "surfaces.png"):
                expected.add(f"<results>/{stack}/figures/{kind}_{end}")
    assert set(targets.figures_for_papers()) == expected


def test_curves_of_scores_need_outlines(targets_of):
    nuclei = NUCLEI | {"ground_truth": "points.csv"}
    cells = MEMBRANE | {"ground_truth": "g.tif"}
    assert targets_of([nuclei, cells]).score_figures() == ["<results>/figures/cells_scores.png"]
    assert targets_of([NUCLEI]).score_figures() == []


def test_figures_of_the_page_come_in_the_order_of_the_sheet(targets_of):
    rows = [NUCLEI | {"diameter_um": "auto"}, MEMBRANE, NUCLEI | {"stack": "b"}]
    assert targets_of(rows).figures() == [
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


def test_images_with_a_date_are_those_of_the_user(targets_of):
    simulated = "resources/simulated/x/image.ome.tif"
    rows = [NUCLEI, MEMBRANE | {"image": "a.tif"}, NUCLEI | {"stack": "b", "image": simulated}]
    simulation = {"x": {"shape": [4, 9, 9], "spacing": [1, 1, 1], "nuclei_count": 1}}
    targets = targets_of(rows, simulate_stack=simulation)
    assert targets.external_images() == ["a.tif"]
    assert targets.all_channels("raw.tif", ["b"]) == ["<results>/b/channels/nuclei/raw.tif"]
