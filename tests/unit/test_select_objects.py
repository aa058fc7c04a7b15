import numpy as np
import pytest
import tifffile
import yaml
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack import settings
from cellstack.adjust_contrast import adjust_contrast
from cellstack.binarize import binarize, find_threshold
from cellstack.clean_mask import clean_mask
from cellstack.denoise import denoise
from cellstack.evaluate_labels import evaluate_labels
from cellstack.find_seeds import distance_map, find_seeds
from cellstack.label_components import label_components
from cellstack.merge_objects import merge_objects
from cellstack.outline_objects import outline_objects
from cellstack.reasons import KEPT, LATERAL_FACE, TOO_LARGE, TOO_SMALL, TOP_OR_BOTTOM
from cellstack.select_objects import FACES, select_objects
from cellstack.split_objects import split_objects

SPACING = (0.4, 0.1, 0.1)
VOXEL = 0.004
LATERAL = ["first_row", "last_row", "first_column", "last_column"]


def boxes(shape, *sides):
    """Labels 1..n of boxes, each given by the slices that it fills."""
    labels = np.zeros(shape, "uint16")
    for number, side in enumerate(sides, 1):
        labels[side] = number
    return labels


def select(labels, faces=(), low=0.0, high=None, spacing=SPACING):
    return select_objects(labels, spacing, clear_faces=faces, min_volume_um3=low, max_volume_um3=high)


@pytest.mark.parametrize("face", FACES)
def test_each_face_alone(face):
    # one cube in the middle of each face, one within
    labels = boxes((9, 10, 11), np.s_[:1, 4:6, 4:6], np.s_[-1:, 4:6, 4:6], np.s_[4:6, :1, 4:6], np.s_[4:6, -1:, 4:6],
                   np.s_[4:6, 4:6, :1], np.s_[4:6, 4:6, -1:], np.s_[3:6, 3:6, 3:6])  # fmt: skip
    dropped = list(FACES).index(face)
    selected, number, _, reason = select(labels, [face])
    assert reason == [(LATERAL_FACE if dropped > 1 else TOP_OR_BOTTOM) if i == dropped else KEPT for i in range(7)]
    assert number.tolist() == [0 if i == dropped else i + (i < dropped) for i in range(7)]
    assert np.array_equal(selected, np.append(0, number)[labels])


def test_labels_can_be_kept():
    labels = boxes((3, 9, 9), np.s_[1, :2, 4], np.s_[1, 3, 3], np.s_[1, 5:7, 5])
    selected, number, _, reason = select_objects(
        labels, SPACING, clear_faces=["first_row"], min_volume_um3=0, max_volume_um3=None, renumber=False
    )
    assert number.tolist() == [0, 2, 3]
    assert reason == [LATERAL_FACE, KEPT, KEPT]
    np.testing.assert_array_equal(selected, np.where(labels > 1, labels, 0))


@pytest.mark.parametrize(("size", "reason"), [(26, TOO_SMALL), (27, KEPT), (64, KEPT), (65, TOO_LARGE)])
@pytest.mark.parametrize(("spacing", "voxel"), [((0.1, 0.1, 0.1), 0.001), ((0.7, 0.1, 0.1), 0.007), ((0.29, 0.26, 0.26), 0.019604)])
def test_limits_of_size_are_inclusive(spacing, voxel, size, reason):
    # in decimals, as a user writes them, 27 voxels are below or above their volume by the last bit
    labels = np.zeros((3, 5, 7), "uint16")
    labels.ravel()[:size] = 1
    selected, number, volume, reasons = select(labels, (), round(27 * voxel, 9), round(64 * voxel, 9), spacing)
    assert reasons == [reason]
    assert volume == pytest.approx([size * voxel])
    assert number.tolist() == [int(reason == KEPT)]
    assert np.count_nonzero(selected) == (size if reason == KEPT else 0)


@pytest.mark.parametrize(
    ("faces", "low", "high", "reason"),
    [
        (list(FACES), 1.0, 0.0, LATERAL_FACE),
        (["first_plane"], 1.0, 0.0, TOP_OR_BOTTOM),
        ([], 1.0, 0.0, TOO_SMALL),
        ([], 0.0, 0.0, TOO_LARGE),
        ([], 0.0, None, KEPT),
    ],
)
def test_first_of_several_reasons_is_named(faces, low, high, reason):
    assert select(boxes((3, 4, 5), np.s_[:2, :2, :2]), faces, low, high)[3] == [reason]


def test_one_plane_has_no_top_and_bottom_but_lateral_faces():
    labels = boxes((1, 9, 9), np.s_[:, 3:5, 3:5], np.s_[:, :2, 6:8])
    assert select(labels, list(FACES))[3] == [KEPT, LATERAL_FACE]


def test_kept_objects_keep_their_order():
    labels = boxes((4, 9, 30), *(np.s_[1:3, 2 : 3 + i % 3, 28 - 3 * i : 30 - 3 * i] for i in range(9)))
    selected, number, _, _ = select(labels, (), 5 * VOXEL)
    assert number.tolist() == [0, 1, 2, 0, 3, 4, 0, 5, 6]
    assert np.array_equal(selected, np.append(0, number)[labels])


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_no_objects(dtype):
    selected, number, volume, reason = select(np.zeros((3, 4, 5), dtype), list(FACES), 1.0, 2.0)
    assert not selected.any()
    assert selected.dtype == np.uint16
    assert (len(number), len(volume), reason) == (0, 0, [])


def test_type_is_that_of_the_objects_kept():
    labels = np.arange(70000, dtype="uint32").reshape(1, 2, 35000)
    assert select(labels)[0].dtype == np.uint32
    assert select(labels, LATERAL)[0].dtype == np.uint16


@given(
    arrays("uint16", st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 6)),
    st.lists(st.sampled_from(list(FACES)), unique=True),
    st.integers(0, 10),
    st.none() | st.integers(0, 40),
)
def test_laws(labels, faces, low, high):
    numbers = np.unique(np.append(0, labels))
    labels = np.searchsorted(numbers, labels).astype("uint16")  # without gaps
    selected, number, volume, reason = select(labels, faces, low * VOXEL, None if high is None else high * VOXEL)
    count = len(numbers) - 1
    assert len(number) == len(volume) == len(reason) == count
    assert volume.sum() == pytest.approx(np.count_nonzero(labels) * VOXEL)
    assert [each == KEPT for each in reason] == (number > 0).tolist()
    assert number[number > 0].tolist() == list(range(1, np.count_nonzero(number) + 1))
    assert np.array_equal(selected, np.append(0, number)[labels])
    for i in range(count):
        mask = labels == i + 1
        assert low <= mask.sum() <= (np.inf if high is None else high) or reason[i] != KEPT
        cut = [face for face in faces if mask.take(FACES[face][1], FACES[face][0]).any() and (face in LATERAL or len(labels) > 1)]
        assert bool(cut) == (reason[i] in (LATERAL_FACE, TOP_OR_BOTTOM))


# the stages one after the other, with the defaults of the schema


SCHEMA = yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text(encoding="utf-8"))


def arguments(stage, changes, diameter_um):
    block = settings.merge(settings.fill_defaults({}, SCHEMA)[stage], changes.get(stage, {}))
    return settings.stage_arguments(stage, block, diameter_um, SCHEMA)


def chain(raw, spacing, changes, diameter_um=5.0):
    """Run every stage on inputs that must not change; the mask, all objects and the selected ones."""
    handed_on = []

    def frozen(array):  # read-only, and a copy to compare with, since a library may lift the flag
        array = array.copy()
        array.flags.writeable = False
        handed_on.append((array, array.copy()))
        return array

    given = {stage: arguments(stage, changes, diameter_um) for stage in SCHEMA["properties"] if stage != "import_stack"}
    contrast = frozen(adjust_contrast(frozen(raw), spacing, **given["adjust_contrast"]))
    denoised = frozen(denoise(contrast, spacing, **given["denoise"]))
    mask = frozen(binarize(denoised, find_threshold(denoised, **given["binarize"]), spacing, contrast))
    clean = frozen(clean_mask(mask, spacing, **given["clean_mask"]))
    components = frozen(label_components(clean, **given["label_components"]))
    distance = frozen(distance_map(clean, spacing, given["find_seeds"].pop("smoothing_um")))
    seeds = frozen(find_seeds(distance, components, spacing, **given["find_seeds"], stack=denoised))
    parts = frozen(split_objects(seeds, clean, denoised, distance, **given["split_objects"]))
    assert np.array_equal(parts > 0, clean > 0)
    merged = frozen(merge_objects(parts, denoised, spacing, **given["merge_objects"]))
    labels = frozen(outline_objects(merged, spacing, **given["outline_objects"]))
    selection = select_objects(labels, spacing, **given["select_objects"])
    assert all(np.array_equal(array, copy) for array, copy in handed_on)
    return clean, labels, selection


def blobs(shape, spacing, centres):
    """Noisy spheres with a diameter of 5 um, brightest in the middle; centres in um."""
    at = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    away = np.min([np.sqrt(((at - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0)) for centre in centres], axis=0)
    return np.random.default_rng(0).poisson(200 + 1000 * (away < 2.5) * (1.4 - away / 5)).astype("uint16")


WAYS = {
    "defaults": {},
    "median, li, peaks": {"denoise": {"method": "median"}, "binarize": {"method": "li"}, "find_seeds": {"method": "peaks"}},
    "bilateral, intensity": {"denoise": {"method": "bilateral"}, "split_objects": {"method": "intensity"}},
    "faces": {"denoise": {"method": "none"}, "label_components": {"connectivity": 6}, "select_objects": {"clear_faces": list(FACES)}},
    "no steps": {"clean_mask": {"steps": []}, "adjust_contrast": {"steps": ["none"]}},
}
each_way = pytest.mark.parametrize("way", WAYS)


@each_way
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (5, 30, 31)], ids=str)
@pytest.mark.parametrize(("value", "dtype"), [(0, "uint8"), (0, "uint16"), (117, "uint16"), (0.3, "float32")])
def test_chain_on_a_constant_stack_finds_nothing(value, dtype, shape, way):
    clean, labels, (selected, number, _, _) = chain(np.full(shape, value, dtype), (1.0, 0.25, 0.25), WAYS[way])
    assert clean.shape == labels.shape == selected.shape == shape
    assert not clean.any()
    assert not labels.any()
    assert not selected.any()
    assert len(number) == 0
    assert evaluate_labels(labels, labels, (1.0, 0.25, 0.25))["summary"]["f1"] == 1


@each_way
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (5, 30, 31)], ids=str)
def test_chain_on_foreground_alone(shape, way):
    raw = (0.5 + 0.1 * np.random.default_rng(0).random(shape)).astype("float32")
    whole = {"adjust_contrast": {"steps": ["none"]}, "binarize": {"method": "otsu", "factor": 0.5}, "outline_objects": {"method": "none"}}
    changes = settings.merge(WAYS[way], whole)
    clean, labels, (_, _, _, reason) = chain(raw, (1.0, 1.0, 1.0), changes)
    assert clean.all()
    assert labels.all()
    assert LATERAL_FACE in reason


@each_way
@pytest.mark.parametrize("ratio", [1, 4, 8])
def test_chain_on_touching_spheres(ratio, way):
    spacing = (0.25 * ratio, 0.25, 0.25)
    centres = [(5, 5, 5), (5, 5, 9.5), (5, 12, 12), (5, 12, 0)]  # two that touch, a single one, one that a lateral face cuts
    shape = (int(10 / spacing[0]), 68, 62)
    _, labels, (selected, number, volume, reason) = chain(blobs(shape, spacing, centres), spacing, WAYS[way])
    whole = np.flatnonzero(volume > 45)  # without cleaning, noise leaves single voxels
    found = [labels[tuple(np.round(np.divide(centre, spacing)).astype(int))] for centre in centres]
    assert len(set(found)) == 4
    assert sorted(whole + 1) == sorted(found[:3])
    assert [reason[label - 1] for label in found] == [KEPT, KEPT, KEPT, LATERAL_FACE]
    assert np.all(np.abs(volume[whole] / (np.pi / 6 * 5**3) - 1) < 0.15)
    assert selected.max() == np.count_nonzero(number)


def test_chain_on_one_plane():
    spacing = (1.0, 0.25, 0.25)
    raw = blobs((1, 68, 62), spacing, [(0, 5, 5), (0, 12, 12), (0, 12, 0)])
    _, labels, (selected, _, _, reason) = chain(raw, spacing, {"select_objects": {"min_volume_um3": 5}})
    assert labels.max() == 3
    assert selected.max() == 2
    assert reason.count(LATERAL_FACE) == 1


def test_chain_on_a_real_stack(data):
    raw, truth = (tifffile.imread(data / "tutorial" / name) for name in ("nuclei.tif", "nuclei_reference_labels.tif"))
    _, labels, (selected, number, volume, _) = chain(raw, (0.58, 0.522, 0.522), {}, diameter_um=10.0)
    assert evaluate_labels(truth, labels, (0.58, 0.522, 0.522))["summary"]["f1"] > 0.9
    assert np.all((volume[number > 0] > 50) & (volume[number > 0] < 1500))
    assert 0 < selected.max() < labels.max()
