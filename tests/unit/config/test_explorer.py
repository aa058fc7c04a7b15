from pathlib import Path

import pytest

from cellstack.config.block_plan import BlockPlan
from cellstack.config.explorer import Explorer
from cellstack.config.gallery import Gallery
from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.core.blocks import Block

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
MEMBRANE = {"stack": "a", "channel": "membrane", "image": "m.tif"}


@pytest.fixture
def explorer_of(load_study):
    def load(rows, *arguments, **config):
        study = load_study(rows, *arguments, **config)
        recipes = Recipes(study)
        return Explorer(study, recipes, Inputs(study, recipes), Gallery(study, recipes))

    return load


def layers_of(explorer, stack="a"):
    """Return by group the titles of the layers, and check that each has its file."""
    groups = {}
    layers = explorer.layers(stack)
    assert len(layers) == len(explorer.images(stack))
    for layer in layers:
        groups.setdefault(layer["group"], []).append(layer["title"])
    return groups


def test_layers_are_the_results_of_all_stages(explorer_of):
    explorer = explorer_of([NUCLEI, MEMBRANE, NUCLEI | {"channel": "dye"}])
    assert layers_of(explorer) == {
        "nuclei": [
            *("raw", "contrast", "denoised", "distance", "mask", "mask_clean", "seeds"),
            *("watershed", "merged", "segmentation", "labels"),
        ],
        "membrane": ["raw", "contrast", "membrane_smooth", "membrane_ridges"],
        "dye": ["raw"],
        "cells": ["seeds", "background", "regions", "segmentation", "labels"],
    }
    kinds = {layer["title"]: layer["kind"] for layer in explorer.layers("a")}
    assert kinds["distance"] == kinds["membrane_ridges"] == "grey"
    assert kinds["mask"] == kinds["regions"] == "labels"
    assert explorer.view("a") == ["<results>/a/gallery/view.json"]
    assert explorer.diameter_um("a") == 10
    assert explorer.diameter("a") == []
    assert explorer.pages() == ["<results>/a/explore.html"]


def test_corrected_background_and_edges_are_shown_if_they_are_made(explorer_of):
    explorer = explorer_of(
        [NUCLEI | {"diameter_um": "auto"}],
        correct_background={"steps": ["depth_attenuation"]},
        split_objects={"method": "edges"},
    )
    assert layers_of(explorer)["nuclei"][:5] == [
        *("raw", "corrected", "contrast", "denoised", "edges")
    ]
    assert explorer.diameter_um("a") == "1 d"
    assert explorer.diameter("a") == ["<results>/a/nuclei/diameter.json"]
    compared = {each["stage"]: each["source"] for each in explorer.variants("a")}
    assert compared == {
        "adjust_contrast": "corrected",
        "denoise": "contrast",
        "detect_edges": "denoised",
        "binarize": "denoised",
    }


def test_compared_methods_differ_and_the_own_one_is_marked(explorer_of):
    explorer = explorer_of([NUCLEI])
    for compared in explorer.variants("a"):
        arguments = [panel["arguments"] for panel in compared["panels"]]
        assert all(each not in arguments[:i] for i, each in enumerate(arguments))
        titles = [panel["title"] for panel in compared["panels"]]
        assert sum(title.endswith(" (your settings)") for title in titles) == 1
        assert "erosion" not in titles


@pytest.mark.parametrize("row", [NUCLEI | {"labels": "l.tif"}, MEMBRANE | {"diameter_um": 9}])
def test_methods_are_compared_only_where_nuclei_are_segmented(explorer_of, row):
    explorer = explorer_of([row])
    assert explorer.variants("a") == explorer.view("a") == explorer.diameter("a") == []
    assert explorer.diameter_um("a") is None
    if "labels" in row:
        assert layers_of(explorer) == {"nuclei": ["raw", "segmentation", "labels"]}
        assert explorer.images("a")[0] == "<results>/a/channels/nuclei/raw.tif"


def test_rows_of_a_sweep_are_shown_once_they_exist(explorer_of):
    sweep = "find_seeds.distance_and_blobs.min_distance_um,binarize.method\n3,\n,otsu\n"
    explorer = explorer_of([NUCLEI | {"ground_truth": "t.tif"}], sweep)
    layers = layers_of(explorer)
    swept = explorer.swept("a")
    assert swept["sweep/2/a/nuclei/segmentation.tif"] == "row 2: binarize.method otsu"
    made = Path("results/sweep/2/a/nuclei/segmentation.tif")
    made.parent.mkdir(parents=True)
    made.touch()
    assert explorer.images("a")[-1] == f"<results>/{'/'.join(made.parts[1:])}"
    assert len(explorer.images("a")) == sum(map(len, layers.values())) + 1
    # neither depends on the files that exist
    assert explorer.swept("a") == swept
    assert sum(map(len, layers.values())) == len(explorer.layers("a"))


def test_the_page_of_the_run_links_to_pages_that_exist(explorer_of):
    explorer = explorer_of([NUCLEI, NUCLEI | {"stack": "b"}])
    assert explorer.existing() == {}
    for page in ("results/b/explore.html", "results/b/gallery/index.html"):
        Path(page).parent.mkdir(parents=True, exist_ok=True)
        Path(page).touch()
    assert explorer.existing() == {"b": ["explore.html", "gallery/index.html"]}


def test_a_stack_in_blocks_shows_the_stages_of_the_block_in_its_middle(explorer_of, monkeypatch):
    explorer = explorer_of([NUCLEI, MEMBRANE])
    panels = explorer._panels
    cores = [((0, 30), (0, 50), (0, 40)), ((0, 30), (0, 50), (40, 90))]
    blocks = {
        name: Block(name, core, tuple((max(0, start - 5), stop) for start, stop in core))
        for name, core in zip(("0-0-0", "0-0-1"), cores, strict=True)
    }
    monkeypatch.setattr(BlockPlan, "blocks", lambda _, stack: blocks)
    shown = {"name": "0-0-1", "extent": [[0, 30], [0, 50], [35, 90]]}
    assert panels.block("a") == panels.shown_block("a") == shown
    folder = "<results>/a/blocks/0-0-1/gallery"
    assert panels.sections("a")[0] == f"{folder}/stages.json"
    assert explorer.view("a") == [panels.view("a")] == [f"{folder}/view.json"]
    images = explorer.images("a")
    assert "<results>/a/channels/nuclei/raw.tif" in images
    assert "<results>/a/blocks/0-0-1/channels/nuclei/denoised.tif" in images
    assert "<results>/a/blocks/0-0-1/nuclei/merged.tif" in images
    assert {"<results>/a/nuclei/segmentation.tif", "<results>/a/cells/regions.tif"} < {*images}
    compared = {each["stage"]: each["source"] for each in explorer.variants("a")}
    assert compared["denoise"] == "contrast"
    monkeypatch.setattr(BlockPlan, "_kinds_to_cut", lambda _, stack: ["cells"])
    assert panels.block("a") == shown
    assert panels.shown_block("a") is None
    assert panels.view("a") == "<results>/a/gallery/view.json"
    monkeypatch.setattr(BlockPlan, "blocks", lambda _, stack: {})
    assert panels.block("a") is None


def test_files_of_a_block_that_only_the_complete_stack_has(explorer_of):
    panels = explorer_of([NUCLEI])._panels
    for unit in ("a", "a/blocks/0-0-1"):
        file = panels.file_of_complete(unit, "nuclei/labels.ome.tif")
        assert file == "<results>/a/nuclei/labels.ome.tif"
