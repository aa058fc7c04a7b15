"""The gallery of small stacks: its pages in a real browser, and what a changed setting repeats."""

import re

import browser
import numpy as np
import pytest
import yaml
from study import SPACING, Study, constant, jobs, write_pair

from cellstack.enhance.denoise import denoise
from cellstack.files.failures import read_failure
from cellstack.files.stacks import read_stack, write_stack
from cellstack.files.tables import read_rows

SECTIONS = (
    "stages",
    "background",
    "contrast",
    "denoising",
    "edges",
    "thresholds",
    "morphology",
    "seeds",
    "final_labels",
    "surface_area",
    "shapes",
    "profile",
)
IMAGES = "Array.from(document.images, image => [image.alt, image.complete && image.naturalWidth])"
TITLES = """
Object.fromEntries(Array.from(document.querySelectorAll('section'), part => [
  part.id,
  Array.from(part.querySelectorAll('figure h3'), title => title.firstChild.textContent)
]))
"""
SNIPPETS = "Array.from(document.querySelectorAll('pre'), snippet => snippet.textContent)"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("gallery"))
    write_pair(study.folder, "colony", shape=(12, 72, 72), count=4)
    write_stack(study.folder / "empty.tif", constant(0), SPACING)
    study.add("colony", image="colony-nuclei.tif")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.add("empty", image="empty.tif", preset="edges")
    study.config["compare_labels"] = {"stages": ["smooth_outlines"]}
    study.config["presets"] = {
        "edges": {
            "split_objects": {"method": "edges"},
            "correct_background": {"steps": ["depth_attenuation"]},
        },
        "wrong": {"binarize": {"method": "hysteresis", "hysteresis": {"low": 2, "high": 1}}},
    }
    process = study.run("gallery", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    running = browser.start(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


def page(study, stack):
    return study.result(stack, "gallery", "index.html")


@pytest.mark.parametrize("stack", ["colony", "empty"])
def test_every_image_loads_and_no_other_file_is_requested(study, chromium, stack):
    chromium.requested.clear()
    address = page(study, stack).as_uri()
    chromium.open(address)
    images = chromium.evaluate(IMAGES)
    assert len(images) > 30
    assert [alt for alt, width in images if not width] == []
    assert all(alt for alt, _ in images)
    assert address in chromium.requested
    local = ("file:", "data:")
    assert [each for each in chromium.requested if not each.startswith(local)] == []


def test_a_request_to_the_network_would_be_found(chromium, tmp_path):
    (tmp_path / "bad.html").write_text(
        '<img alt="none" src="http://192.0.2.1/none.png"><img alt="gone" src="gone.png">'
    )
    chromium.requested.clear()
    chromium.open((tmp_path / "bad.html").as_uri())
    assert "http://192.0.2.1/none.png" in chromium.requested
    assert [alt for alt, width in chromium.evaluate(IMAGES) if not width] == ["none", "gone"]


def test_the_page_has_every_comparison_and_its_snippets_are_yaml(study, chromium):
    chromium.open(page(study, "colony").as_uri())
    titles = chromium.evaluate(TITLES)
    assert tuple(titles) == SECTIONS
    expected = {
        "contrast": {"original", "gamma 0.5", "gamma 1.5", "equalized", "stretched", "clahe"},
        "denoising": {"gaussian", "median", "bilateral", "total_variation", "non_local_means"},
        "thresholds": {"histogram", "otsu", "li", "local", "hysteresis", "preset tutorial"},
        "background": {"preset edges"},
    }
    for section, included in expected.items():
        assert included <= set(titles[section])
    of_presets = [title for title in titles["morphology"] if "preset" in title]
    assert of_presets == ["preset tutorial", "preset tutorial-solution"]
    assert titles["edges"] == ["sobel", "sobel_2d", "sobel − sobel_2d"]
    assert all(isinstance(yaml.safe_load(text), dict) for text in chromium.evaluate(SNIPPETS))


def test_the_page_of_an_empty_stack(study):
    text = page(study, "empty").read_text()
    assert text.count("There are no objects to show.") == 2
    assert "<h3>correct_background</h3>" in text
    assert "This stack has the preset <code>edges</code>" in text


def test_a_method_that_fails_does_not_stop_the_others(study):
    labels = "results/alternatives/binarize/preset-wrong/colony/nuclei/segmentation.tif"
    process = study.run(labels, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process).keys() == {
        f"try_{stage}"
        for stage in (
            "binarize",
            "clean_mask",
            "label_components",
            "find_seeds",
            "split_objects",
            "merge_objects",
            "smooth_outlines",
        )
    }
    reason = read_failure(study.folder / labels)
    assert reason.startswith("binarize: binarize.hysteresis: low 2 is above high 1")
    # files between the stages are removed
    folder = study.folder / "results/alternatives/binarize/preset-wrong/colony"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["segmentation.tif"]


def test_final_labels_of_each_method_are_compared(study):
    rows = list(read_rows(study.result("colony", "gallery", "final_labels.csv")))
    assert [(row["stage"], row["settings"]) for row in rows] == [
        ("", "as configured"),
        ("smooth_outlines", "none"),
    ]
    folder = "alternatives/smooth_outlines/none/colony/nuclei"
    labels, _ = read_stack(study.folder / "results" / folder / "segmentation.tif")
    merged, _ = read_stack(study.result("colony", "nuclei", "merged.tif"))
    assert np.array_equal(labels > 0, merged > 0)
    assert rows[1]["count"] == str(labels.max())
    assert "smooth_outlines: {method: none}" in page(study, "colony").read_text()


def test_a_changed_setting_repeats_what_depends_on_it(study):
    assert jobs(study.run("gallery")) == {}
    study.config["denoise"] = {"bilateral": {"sigma_intensity": 0.3}}
    repeated = jobs(study.run("gallery", cores=2))
    repeated.pop("gallery")
    assert repeated == {"compare_denoising": 2, "write_gallery": 2}
    study.config["choose_view"] = {"row": 30}
    repeated = jobs(study.run("gallery", "-n"))
    assert repeated["choose_view"] == 2
    assert not repeated.keys() & {"denoise", "binarize", "plot_shapes"}


def test_a_snippet_gives_what_its_picture_shows(study):
    html = page(study, "colony").read_text()
    (snippet,) = re.findall(r"<pre><code>(denoise:\n  method: median\n.*?)</code>", html, re.DOTALL)
    channel = study.result("colony", "channels", "nuclei")
    contrast, spacing = read_stack(channel / "contrast.tif")
    study.config |= yaml.safe_load(snippet)
    process = study.run("results/colony/channels/nuclei/denoised.tif")
    assert process.returncode == 0, process.stderr[-4000:]
    denoised, _ = read_stack(channel / "denoised.tif")
    options = {"radius_um": 0.48, "slice_by_slice": False}
    assert np.array_equal(denoised, denoise(contrast, spacing, "median", options))
