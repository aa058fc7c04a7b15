import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.config.reasons import (
    BESIDE_NO_DATA,
    KEPT,
    LATERAL_FACE,
    TOO_LARGE,
    TOO_SMALL,
    TOP_OR_BOTTOM,
)
from cellstack.files.stacks import read_stack, write_stack
from cellstack.files.tables import read_rows
from cellstack.segment.select_objects import FACES, select_objects
from select_objects import main

SPACING = (0.4, 0.1, 0.1)
VOXEL = 0.004
LATERAL = ["first_row", "last_row", "first_column", "last_column"]


def boxes(shape, *sides):
    """Return labels 1..n of boxes, each given as slices."""
    labels = np.zeros(shape, "uint16")
    for number, side in enumerate(sides, 1):
        labels[side] = number
    return labels


def select(labels, faces=(), low=0.0, high=None, spacing=SPACING):
    return select_objects(
        labels, spacing, exclude_touching_faces=faces, min_volume_um3=low, max_volume_um3=high
    )


@pytest.mark.parametrize("face", FACES)
def test_each_face(face):
    labels = boxes(
        (9, 10, 11),
        np.s_[:1, 4:6, 4:6],  # one at the centre of each face
        np.s_[-1:, 4:6, 4:6],
        np.s_[4:6, :1, 4:6],
        np.s_[4:6, -1:, 4:6],
        np.s_[4:6, 4:6, :1],
        np.s_[4:6, 4:6, -1:],
        np.s_[3:6, 3:6, 3:6],  # one inside
    )
    excluded = list(FACES).index(face)
    selected, number, _, reason = select(labels, [face])
    expected = [KEPT] * 7
    expected[excluded] = LATERAL_FACE if excluded > 1 else TOP_OR_BOTTOM
    assert reason == expected
    assert number.tolist() == [0 if i == excluded else i + (i < excluded) for i in range(7)]
    assert np.array_equal(selected, np.append(0, number)[labels])


def test_without_renumbering_labels_are_kept():
    labels = boxes((3, 9, 9), np.s_[1, :2, 4], np.s_[1, 3, 3], np.s_[1, 5:7, 5])
    selected, number, _, reason = select_objects(
        labels,
        SPACING,
        exclude_touching_faces=["first_row"],
        min_volume_um3=0,
        max_volume_um3=None,
        renumber=False,
    )
    assert number.tolist() == [0, 2, 3]
    assert reason == [LATERAL_FACE, KEPT, KEPT]
    np.testing.assert_array_equal(selected, np.where(labels > 1, labels, 0))


@pytest.mark.parametrize(
    ("size", "reason"), [(26, TOO_SMALL), (27, KEPT), (64, KEPT), (65, TOO_LARGE)]
)
@pytest.mark.parametrize(
    ("spacing", "voxel"),
    [((0.1, 0.1, 0.1), 0.001), ((0.7, 0.1, 0.1), 0.007), ((0.29, 0.26, 0.26), 0.019604)],
)
def test_volume_limits_are_inclusive(spacing, voxel, size, reason):
    # As decimal numbers, the limits differ from the volumes of 27 and 64 voxels in the last bit.
    labels = np.zeros((3, 5, 7), "uint16")
    labels.ravel()[:size] = 1
    selected, number, volume, reasons = select(
        labels, (), round(27 * voxel, 9), round(64 * voxel, 9), spacing
    )
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
def test_the_first_of_several_reasons_is_reported(faces, low, high, reason):
    assert select(boxes((3, 4, 5), np.s_[:2, :2, :2]), faces, low, high)[3] == [reason]


def test_a_single_plane_has_only_lateral_faces():
    labels = boxes((1, 9, 9), np.s_[:, 3:5, 3:5], np.s_[:, :2, 6:8])
    assert select(labels, list(FACES))[3] == [KEPT, LATERAL_FACE]


def test_selected_objects_keep_their_order():
    labels = boxes(
        (4, 9, 30), *(np.s_[1:3, 2 : 3 + i % 3, 28 - 3 * i : 30 - 3 * i] for i in range(9))
    )
    selected, number, _, _ = select(labels, (), 5 * VOXEL)
    assert number.tolist() == [0, 1, 2, 0, 3, 4, 0, 5, 6]
    assert np.array_equal(selected, np.append(0, number)[labels])


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_no_objects(dtype):
    selected, number, volume, reason = select(np.zeros((3, 4, 5), dtype), list(FACES), 1.0, 2.0)
    assert not selected.any()
    assert selected.dtype == np.uint16
    assert (len(number), len(volume), reason) == (0, 0, [])


def test_dtype_depends_on_the_number_of_selected_objects():
    labels = np.arange(70000, dtype="uint32").reshape(1, 2, 35000)
    assert select(labels)[0].dtype == np.uint32
    assert select(labels, LATERAL)[0].dtype == np.uint16


@given(
    arrays("uint16", st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 6)),
    st.lists(st.sampled_from(list(FACES)), unique=True),
    st.integers(0, 10),
    st.none() | st.integers(0, 40),
)
def test_properties_of_any_selection(labels, faces, low, high):
    numbers = np.unique(np.append(0, labels))
    labels = np.searchsorted(numbers, labels).astype("uint16")  # without gaps
    selected, number, volume, reason = select(
        labels, faces, low * VOXEL, None if high is None else high * VOXEL
    )
    count = len(numbers) - 1
    voxel_limit = np.inf if high is None else high
    assert len(number) == len(volume) == len(reason) == count
    assert volume.sum() == pytest.approx(np.count_nonzero(labels) * VOXEL)
    assert [each == KEPT for each in reason] == (number > 0).tolist()
    assert number[number > 0].tolist() == list(range(1, np.count_nonzero(number) + 1))
    assert np.array_equal(selected, np.append(0, number)[labels])
    for i in range(count):
        mask = labels == i + 1
        assert low <= mask.sum() <= voxel_limit or reason[i] != KEPT
        is_cut = any(
            mask.take(index, axis).any() and (face in LATERAL or len(labels) > 1)
            for face, (axis, index) in FACES.items()
            if face in faces
        )
        assert is_cut == (reason[i] in (LATERAL_FACE, TOP_OR_BOTTOM))


@pytest.mark.parametrize(("renumber", "numbers"), [(True, [0, 1, 2]), (False, [0, 2, 3])])
def test_script_hands_on_its_settings(tmp_path, renumber, numbers):
    labels = boxes((3, 9, 9), np.s_[1, :2, 4], np.s_[1, 3, 3:6], np.s_[1, 5:8, 5], np.s_[2, 7, 7])
    labels[0, 3:7, 8] = 5
    write_stack(tmp_path / "segmentation.tif", labels, SPACING)
    main(
        segmentation=tmp_path / "segmentation.tif",
        labels=tmp_path / "labels.ome.tif",
        selection=tmp_path / "selection.csv",
        exclude_touching_faces=["first_row"],
        min_volume_um3=2 * VOXEL,
        max_volume_um3=3 * VOXEL,
        counting_frame=["first_row"],
        counting_guard_um=0.0,
        renumber=renumber,
    )
    rows = list(read_rows(tmp_path / "selection.csv"))
    assert [row["segmentation_label"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [int(row["label"]) for row in rows] == [*numbers, 0, 0]
    assert [float(row["volume_um3"]) for row in rows] == pytest.approx(
        [VOXEL * size for size in (2, 3, 3, 1, 4)]
    )
    assert [row["reason"] for row in rows] == [LATERAL_FACE, KEPT, KEPT, TOO_SMALL, TOO_LARGE]
    found, spacing = read_stack(tmp_path / "labels.ome.tif")
    np.testing.assert_array_equal(found, np.array([0, *numbers, 0, 0])[labels])
    assert spacing == SPACING


def test_objects_beside_a_region_without_data_are_excluded():
    labels = boxes((3, 9, 9), np.s_[1, 1:3, 4], np.s_[1, 5:7, 6], np.s_[1, 3, 1])
    no_data = np.zeros(labels.shape, bool)
    no_data[:, :, 7:] = True
    for faces, expected in (
        (["no_data"], [KEPT, BESIDE_NO_DATA, KEPT]),
        (["last_column"], [KEPT] * 3),
    ):
        *_, reason = select_objects(
            labels,
            SPACING,
            exclude_touching_faces=faces,
            min_volume_um3=0,
            max_volume_um3=None,
            no_data=no_data,
        )
        assert reason == expected
