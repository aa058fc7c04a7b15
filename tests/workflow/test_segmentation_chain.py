"""The stages from a raw stack to the selected nuclei, called one after another as functions."""

import numpy as np
import pytest
import tifffile
import yaml
from shapes import read_only
from study import ROOT

from cellstack.config import settings
from cellstack.config.reasons import KEPT, LATERAL_FACE
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.enhance.denoise import denoise
from cellstack.evaluate.evaluate_labels import evaluate_labels
from cellstack.segment.binarize import binarize, find_threshold
from cellstack.segment.choose_planes import choose_planes
from cellstack.segment.clean_mask import clean_mask
from cellstack.segment.find_seeds import seeds_of_mask
from cellstack.segment.label_components import label_components
from cellstack.segment.merge_objects import merge_objects
from cellstack.segment.select_objects import FACES, select_objects
from cellstack.segment.smooth_outlines import smooth_outlines
from cellstack.segment.split_objects import split_objects

SCHEMA = yaml.safe_load(
    (ROOT / "config" / "schemas" / "stages.schema.yaml").read_text(encoding="utf-8")
)
SETTINGS = {
    "defaults": {},
    "median, li, peaks": {
        "denoise": {"method": "median"},
        "binarize": {"method": "li"},
        "find_seeds": {"method": "peaks"},
    },
    "bilateral, intensity": {
        "denoise": {"method": "bilateral"},
        "split_objects": {"method": "intensity"},
    },
    "faces": {
        "denoise": {"method": "none"},
        "label_components": {"connectivity": 6},
        "select_objects": {"exclude_touching_faces": list(FACES)},
    },
    "no steps": {"clean_mask": {"steps": []}, "adjust_contrast": {"steps": ["none"]}},
}
each_settings = pytest.mark.parametrize("changes", SETTINGS.values(), ids=SETTINGS)


def arguments(stage, changes, diameter_um):
    """Return the arguments of a stage for the defaults of the schema with changes."""
    block = settings.merge(settings.fill_defaults({}, SCHEMA)[stage], changes.get(stage, {}))
    return settings.stage_arguments(stage, block, diameter_um, SCHEMA)


def run_stages(raw, spacing, changes, diameter_um=5.0):
    """Return the mask, all objects and the selection, and check that no stage changes its input."""
    passed_on = []

    def keep(array):  # with a copy to compare with, since a library may lift the read-only flag
        array = read_only(array.copy())
        passed_on.append((array, array.copy()))
        return array

    options = {
        stage: arguments(stage, changes, diameter_um)
        for stage in SCHEMA["properties"]
        if stage != "import_stack"
    }
    contrast = keep(adjust_contrast(keep(raw), spacing, **options["adjust_contrast"]))
    denoised = keep(denoise(contrast, spacing, **options["denoise"]))
    threshold = find_threshold(denoised, **options["binarize"])
    mask = keep(binarize(denoised, threshold, spacing, contrast))
    clean = keep(clean_mask(mask, spacing, **options["clean_mask"]))
    components = keep(label_components(clean, **options["label_components"]))
    for name in ("counting_frame", "counting_guard_um"):  # for the script only
        options["select_objects"].pop(name)
    limit = [options["find_seeds"].pop(name) for name in ("planes", "plane_range_um")]
    distance, seeds = map(
        keep,
        seeds_of_mask(
            clean,
            components,
            spacing,
            stack=denoised,
            allowed=choose_planes(clean, spacing, *limit),
            **options["find_seeds"],
        ),
    )
    watershed = keep(
        split_objects(seeds, clean, denoised, distance, spacing, **options["split_objects"])
    )
    assert np.array_equal(watershed > 0, clean > 0)
    merging = options["merge_objects"]
    merged = keep(merge_objects(watershed, denoised, distance, spacing, **merging))
    labels = keep(smooth_outlines(merged, spacing, **options["smooth_outlines"]))
    selection = select_objects(labels, spacing, **options["select_objects"])
    assert all(np.array_equal(array, copy) for array, copy in passed_on)
    return clean, labels, selection


def noisy_spheres(shape, spacing, centres):
    """Return noisy spheres with a diameter of 5 um, brightest at their centres (in um)."""
    position = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    distances = [
        np.sqrt(((position - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0)) for centre in centres
    ]
    distance = np.min(distances, axis=0)
    mean = 200 + 1000 * (distance < 2.5) * (1.4 - distance / 5)
    return np.random.default_rng(0).poisson(mean).astype("uint16")


@each_settings
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (5, 30, 31)], ids=str)
@pytest.mark.parametrize(
    ("value", "dtype"), [(0, "uint8"), (0, "uint16"), (117, "uint16"), (0.3, "float32")]
)
def test_a_constant_stack_has_no_objects(value, dtype, shape, changes):
    spacing = (1.0, 0.25, 0.25)
    clean, labels, (selected, number, _, _) = run_stages(
        np.full(shape, value, dtype), spacing, changes
    )
    assert clean.shape == labels.shape == selected.shape == shape
    assert not clean.any()
    assert not labels.any()
    assert not selected.any()
    assert len(number) == 0
    assert evaluate_labels(labels, labels, spacing)["summary"]["f1"] == 1


@each_settings
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (5, 30, 31)], ids=str)
def test_a_stack_without_background(shape, changes):
    raw = (0.5 + 0.1 * np.random.default_rng(0).random(shape)).astype("float32")
    all_foreground = {
        "adjust_contrast": {"steps": ["none"]},
        "binarize": {"method": "otsu", "factor": 0.5},
        "smooth_outlines": {"method": "none"},
    }
    clean, labels, (_, _, _, reason) = run_stages(
        raw, (1.0, 1.0, 1.0), settings.merge(changes, all_foreground)
    )
    assert clean.all()
    assert labels.all()
    assert LATERAL_FACE in reason


@each_settings
@pytest.mark.parametrize("ratio", [1, 4, 8])
def test_touching_spheres(ratio, changes):
    spacing = (0.25 * ratio, 0.25, 0.25)
    # Two that touch, a single one, and one that is cut by a lateral face.
    centres = [(5, 5, 5), (5, 5, 9.5), (5, 12, 12), (5, 12, 0)]
    raw = noisy_spheres((int(10 / spacing[0]), 68, 62), spacing, centres)
    _, labels, (selected, number, volume, reason) = run_stages(raw, spacing, changes)
    complete = np.flatnonzero(volume > 45)  # without cleaning, noise leaves single voxels
    found = [labels[tuple(np.round(np.divide(centre, spacing)).astype(int))] for centre in centres]
    assert len(set(found)) == 4
    assert sorted(complete + 1) == sorted(found[:3])
    assert [reason[label - 1] for label in found] == [KEPT, KEPT, KEPT, LATERAL_FACE]
    assert np.all(np.abs(volume[complete] / (np.pi / 6 * 5**3) - 1) < 0.15)
    assert selected.max() == np.count_nonzero(number)


def test_a_single_plane():
    spacing = (1.0, 0.25, 0.25)
    raw = noisy_spheres((1, 68, 62), spacing, [(0, 5, 5), (0, 12, 12), (0, 12, 0)])
    changes = {"select_objects": {"min_volume_um3": 5}}
    _, labels, (selected, _, _, reason) = run_stages(raw, spacing, changes)
    assert labels.max() == 3
    assert selected.max() == 2
    assert reason.count(LATERAL_FACE) == 1


def test_a_real_stack(data):
    raw, ground_truth = (
        tifffile.imread(data / "tutorial" / name)
        for name in ("nuclei.tif", "nuclei_reference_labels.tif")
    )
    spacing = (0.58, 0.522, 0.522)
    _, labels, (selected, number, volume, _) = run_stages(raw, spacing, {}, diameter_um=10.0)
    assert evaluate_labels(ground_truth, labels, spacing)["summary"]["f1"] > 0.9
    assert np.all((volume[number > 0] > 50) & (volume[number > 0] < 1500))
    assert 0 < selected.max() < labels.max()
