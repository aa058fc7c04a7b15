"""Import of labels: checks, sampling, renumbering, and the script as a whole."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.segmentation import relabel_sequential
from study import ROOT

import import_labels as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.import_labels import renumber, sample_labels

STEPS = (1.0, 0.5, 0.25)
TYPES = [
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
]


@pytest.fixture
def labels():
    found = np.zeros((4, 6, 8), "uint16")
    found[0, 1:3, 1:3] = 90
    found[2:, 4:, 5:] = 7
    found[1, 5, 0] = 120
    return found


def run(image, folder, shape, downsample=(1, 1, 1)):
    write_stack(folder / "raw.tif", np.zeros(shape, "uint16"), STEPS)
    script.main(
        image=[image],
        raw=folder / "raw.tif",
        labels=folder / "labels.tif",
        downsample=list(downsample),
    )
    return read_stack(folder / "labels.tif")


@pytest.mark.parametrize("dtype", TYPES)
def test_labels_of_any_numeric_type_become_1_to_n(tmp_path, labels, dtype):
    tifffile.imwrite(tmp_path / "a.tif", labels.astype(dtype), photometric="minisblack")
    found, spacing = run(tmp_path / "a.tif", tmp_path, labels.shape)
    assert found.dtype == np.uint16
    assert spacing == STEPS
    np.testing.assert_array_equal(
        found, np.select([labels == 7, labels == 90, labels == 120], [1, 2, 3])
    )


def test_downsampled_labels_are_those_at_the_centre_of_each_block(tmp_path, labels):
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="minisblack")
    found, _ = run(tmp_path / "a.tif", tmp_path, (2, 2, 4), (2, 3, 2))
    np.testing.assert_array_equal(found, renumber(labels[1::2, 1::3, 1::2]))


@given(
    hnp.arrays(np.uint8, (5, 6, 7)),
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 7)),
)
def test_samples_are_the_central_voxels_of_blocks(labels, factors):
    found = np.stack(list(sample_labels(labels, factors)))
    assert found.shape == tuple(
        length // factor for length, factor in zip(labels.shape, factors, strict=True)
    )
    for index in np.ndindex(found.shape):
        centre = tuple(at * factor + factor // 2 for at, factor in zip(index, factors, strict=True))
        assert found[index] == labels[centre]


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int32, np.uint64]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
        elements={"min_value": 0, "max_value": 120},
    )
)
def test_renumbering_against_scikit_image(labels):
    before = labels.copy()
    found = renumber(labels)
    np.testing.assert_array_equal(found, relabel_sequential(labels.astype(np.int64))[0])
    np.testing.assert_array_equal(renumber(found), found)
    np.testing.assert_array_equal(labels, before)


def test_large_labels_and_many_labels():
    assert renumber(np.array([[[0, 2**63, 5]]], "uint64")).tolist() == [[[0, 2, 1]]]
    many = np.arange(70000, dtype="int64").reshape(7, 100, 100)
    found = renumber(many * 3)
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, many)


@pytest.mark.parametrize(
    ("large", "dtype"),
    [
        (2**16 + 3, "int32"),
        (2**32 + 3, "int64"),
        (2**32 + 3, "uint64"),
        (2**63 + 3, "uint64"),
        (2.0**32 + 3, "float64"),
        (2.0**53 - 1, "float64"),
        (2.0**24 - 1, "float32"),
    ],
)
def test_labels_that_are_equal_in_their_last_bits_stay_apart(tmp_path, large, dtype):
    stored = with_voxel(large, dtype)
    stored[0] = 0
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack")
    found, _ = run(tmp_path / "a.tif", tmp_path, (2, 3, 4))
    np.testing.assert_array_equal(found, np.select([stored == 0, stored == 3], [0, 1], 2))


def test_an_image_without_labels_is_imported(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 3, 4), "int32"), photometric="minisblack")
    found, _ = run(tmp_path / "a.tif", tmp_path, (2, 3, 4))
    assert found.dtype == np.uint16
    assert not found.any()


def with_voxel(value, dtype):
    """Return labels 3 with one voxel of another value."""
    labels = np.full((2, 3, 4), 3, dtype)
    labels[1, 2, 0] = value
    return labels


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.full((2, 3, 4), -5, "int16"), "the smallest label is -5"),
        (with_voxel(-1, "int8"), "the smallest label is -1"),
        (with_voxel(-1, "int64"), "the smallest label is -1"),
        (with_voxel(-1, "float32"), "the smallest label is -1"),
        (with_voxel(1.5, "float64"), "not integers"),
        (with_voxel(-0.25, "float32"), "not integers"),
        (with_voxel(np.inf, "float32"), "not integers"),
        (with_voxel(2.0**53, "float64"), "not integers below 2^53"),
        (with_voxel(1e300, "float64"), "not integers below 2^53"),
        (np.full((2, 3, 4), 1.5, "float32"), "not integers"),
        (np.full((2, 3, 4), np.nan, "float32"), "not integers"),
        (np.zeros((2, 3, 4), "complex64"), "type complex64 are not supported"),
        (np.zeros((2, 3, 5), "uint16"), "labels of shape (2, 3, 5) do not fit"),
        (np.zeros((2, 3, 4, 3), "uint8"), "has colours"),
    ],
)
def test_an_image_that_is_not_a_label_image_of_the_stack_is_an_error(tmp_path, stored, expected):
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb" if stored.ndim == 4 else "minisblack"
    )
    with pytest.raises(InputError) as error:
        run(tmp_path / "a.tif", tmp_path, (2, 3, 4))
    message = str(error.value)
    assert expected in message
    assert "a.tif: " in message
    assert "\n" not in message
    assert not (tmp_path / "labels.tif").exists()


def test_the_error_for_a_wrong_shape_names_both_files(tmp_path, labels):
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="minisblack")
    with pytest.raises(
        InputError,
        match=r"a\.tif: labels of shape \(4, 6, 8\) do not fit .*raw\.tif of shape \(4, 6, 8\) "
        r"with downsample \[2",
    ):
        run(tmp_path / "a.tif", tmp_path, labels.shape, (2, 1, 1))


def test_labels_with_two_channels_are_an_error(tmp_path, labels):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([labels, labels]),
        metadata={"axes": "CZYX"},
        photometric="minisblack",
    )
    with pytest.raises(InputError, match="2 channels"):
        run(tmp_path / "a.tif", tmp_path, labels.shape)


def test_the_command_line_gives_the_same_bytes_as_a_call(tmp_path, labels):
    tifffile.imwrite(tmp_path / "a.tif", labels.astype("int32"), photometric="minisblack")
    run(tmp_path / "a.tif", tmp_path, labels.shape)
    called = (tmp_path / "labels.tif").read_bytes()
    arguments = [
        "--image",
        tmp_path / "a.tif",
        "--raw",
        tmp_path / "raw.tif",
        "--labels",
        tmp_path / "line" / "labels.tif",
    ]
    command = [
        sys.executable,
        ROOT / "scripts" / "import_labels.py",
        *arguments,
        "--downsample",
        "[1, 1, 1]",
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "line" / "labels.tif").read_bytes() == called


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("tutorial/nuclei_labels_full_grid.tif", 22),
        ("embryo8/nuclei_truth.tif", 8),
        ("ovule/nuclei_truth.tif", 54),
        ("membrane/cells_truth.tif", 50),
    ],
)
def test_real_ground_truths(data, tmp_path, file, count):
    stored = tifffile.imread(data / file)
    found, _ = run(data / file, tmp_path, stored.shape)
    assert found.max() == count
    np.testing.assert_array_equal(found, relabel_sequential(stored)[0])


def test_labels_in_another_orientation_are_refused(tmp_path):
    mirrored = np.zeros((4, 40, 60), "uint16")
    mirrored[:, 5:12, 30:40], mirrored[:, 20:26, 8:14] = 1, 2
    image = 100 * (mirrored[:, ::-1] > 0).astype("uint16")
    write_stack(tmp_path / "raw.tif", image, STEPS)
    tifffile.imwrite(tmp_path / "a.tif", mirrored, photometric="minisblack")
    files = {"raw": tmp_path / "raw.tif", "labels": tmp_path / "labels.tif"}
    with pytest.raises(InputError, match=r"do not fit .*raw.tif, but do after mirroring"):
        script.main(image=[tmp_path / "a.tif"], downsample=[1, 1, 1], **files)
    assert not files["labels"].exists()


LABELS = np.ones((4, 6, 8), "uint16")
CORNERS = np.zeros((4, 6, 8), "uint16")
CORNERS[:, ::5, ::7] = [[1, 2], [3, 4]]
BACKGROUND = np.full((4, 6, 8), 9, "uint16")
BACKGROUND[:, 1:3, 1:3] = 1
FIXES = {  # labels with an error, the text of the message, and labels after the fix
    "channels": (
        np.stack([LABELS] * 2),
        {"metadata": {"axes": "CZYX"}, "ome": True},
        "give labels in a file with one channel",
    ),
    "times": (
        np.stack([LABELS] * 2),
        {"metadata": {"axes": "TZYX"}},
        "one is needed: save it as a separate file",
    ),
    "mask": ((CORNERS > 0).astype("uint8") * 255, {}, "give a different number to each object"),
    "intensities": (
        np.arange(1, LABELS.size + 1, dtype="uint16").reshape(LABELS.shape),
        {},
        "1.0 separate parts in a plane on average, of 1.0 pixels each, like a mask or an image",
    ),
    "background": (BACKGROUND, {}, "label 9 covers 92 % of the image: give the background the"),
    "shape": (LABELS[1:], {}, "give labels of the same image"),
    "axes": (LABELS.T.copy(), {}, "which has its axes in another order: give labels of the same"),
    "boolean": (LABELS.astype(bool), {}, "give one integer per object"),
    "colours": (
        np.stack([LABELS.astype("uint8")] * 3, axis=-1),
        {"photometric": "rgb"},
        "give labels as one integer per object",
    ),
    "fractions": (LABELS + 0.5, {}, "give labels as one integer per object"),
    "negative": (LABELS.astype("int16") - 3, {}, "labels must be 0 (background) or above"),
}


def test_branched_objects_have_several_parts_in_a_plane(tmp_path):
    branched = np.zeros((3, 12, 16), "uint16")
    branched[:, ::3, :8:2], branched[:, ::3, 8::2] = 1, 2  # 16 parts each
    tifffile.imwrite(tmp_path / "a.tif", branched, photometric="minisblack")
    found, _ = run(tmp_path / "a.tif", tmp_path, branched.shape)
    np.testing.assert_array_equal(found, branched)


@pytest.mark.parametrize("case", FIXES)
def test_the_fix_in_a_message_works(tmp_path, case):
    wrong, options, expected = FIXES[case]
    tifffile.imwrite(tmp_path / "a.tif", wrong, **({"photometric": "minisblack"} | options))
    with pytest.raises(InputError) as error:
        run(tmp_path / "a.tif", tmp_path, LABELS.shape)
    assert expected in str(error.value)
    tifffile.imwrite(tmp_path / "a.tif", LABELS, photometric="minisblack")
    np.testing.assert_array_equal(run(tmp_path / "a.tif", tmp_path, LABELS.shape)[0], LABELS)
