import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels import contacts_by_loop

from cellstack.cells.measure_contacts import measure_contacts
from cellstack.config.columns import CONTACT_COLUMNS
from cellstack.files.stacks import write_stack
from cellstack.files.tables import read_columns, read_rows, write_rows
from measure_contacts import main

RATIOS = [1.1, 4, 8]
OPTIONS = {"min_wall_strength": 0.5, "min_contact_fraction": 0.2}
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def spacing_of(ratio):
    return (0.26 * ratio, 0.26, 0.26)


def measure(labels, spacing, ridges=None, **options):
    ridges = np.ones(labels.shape, np.float32) if ridges is None else ridges
    return measure_contacts(labels.astype(np.uint16), ridges, spacing, **(OPTIONS | options))


def grid(spacing, side_um=16.0):
    shape = [round(side_um / step) for step in spacing]
    return np.meshgrid(
        *[
            (np.arange(size) + 0.5) * step - size * step / 2
            for size, step in zip(shape, spacing, strict=True)
        ],
        indexing="ij",
    )


@each_ratio
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_contact_of_boxes_is_exact(ratio, axis):
    spacing = spacing_of(ratio)
    labels = np.zeros((6, 31, 40), int)
    labels[1:5, 4:28, 3:35] = 2
    half = [slice(None)] * 3
    half[axis] = slice(0, labels.shape[axis] // 2)
    labels[tuple(half)] = np.where(labels[tuple(half)] > 0, 1, 0)
    (pair,) = measure(labels, spacing)
    sides = [size * step for size, step in zip((4, 24, 32), spacing, strict=True)]
    assert (pair["segmentation_label_1"], pair["segmentation_label_2"]) == (1, 2)
    assert pair["contact_area_um2"] == pytest.approx(np.prod(sides) / sides[axis])


@pytest.mark.parametrize(("ratio", "tolerance"), [(1.1, 0.02), (4, 0.05), (8, 0.06)])
def test_contact_in_an_oblique_plane(ratio, tolerance):
    spacing = spacing_of(ratio)
    z, y, x = grid(spacing)
    rng = np.random.default_rng(0)
    for _ in range(12):
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        labels = np.where(normal[0] * z + normal[1] * y + normal[2] * x > 0.1, 2, 1)
        labels[z**2 + y**2 + x**2 > 49] = 0
        (pair,) = measure(labels, spacing)
        assert pair["contact_area_um2"] == pytest.approx(np.pi * (49 - 0.01), rel=tolerance)


@pytest.mark.parametrize(("ratio", "tolerance"), [(1.1, 0.02), (4, 0.04), (8, 0.07)])
@pytest.mark.parametrize("radius_um", [4, 6.5])
def test_contact_of_nested_spheres(ratio, tolerance, radius_um):
    z, y, x = grid(spacing_of(ratio))
    labels = np.where((z - 0.1) ** 2 + (y - 0.07) ** 2 + (x - 0.03) ** 2 < radius_um**2, 1, 2)
    (pair,) = measure(labels, spacing_of(ratio))
    assert pair["contact_area_um2"] == pytest.approx(4 * np.pi * radius_um**2, rel=tolerance)


def test_missing_wall_is_reported_unless_the_contact_is_small():
    labels = np.ones((4, 20, 30), int)
    labels[:, :, 10:20], labels[:, :, 20:] = 2, 3
    labels[:, 19, 9] = 3  # touches 1 at a corner
    ridges = np.zeros(labels.shape, np.float32)
    ridges[:, :, 9:11] = 2
    ridges[:, 19, 8:10] = 0
    pairs = {
        (pair["segmentation_label_1"], pair["segmentation_label_2"]): pair
        for pair in measure(labels, (1, 1, 1), ridges)
    }
    assert pairs[1, 2]["wall_missing"] == 0
    assert pairs[1, 2]["wall_strength"] > 1.8
    assert pairs[2, 3]["wall_missing"] == 1
    assert pairs[1, 3]["wall_missing"] == 0


def test_missing_walls_have_the_minimum_fraction_of_the_contacts_of_a_cell():
    # Cell 1 touches 2 on 8 of 20 um along y, and 3 on the rest.
    labels = np.full((2, 40, 20), 1)
    labels[:, :16, 10:], labels[:, 16:, 10:] = 2, 3
    labels[:, :16, 13:], labels[:, 16:, 13:] = 4, 4
    ridges = np.full(labels.shape, 2.0, np.float32)
    ridges[:, :16, 9:11] = 0
    for fraction, missing in ((0.35, 1), (0.55, 0)):
        pairs = measure(labels, (1.0, 0.5, 0.25), ridges, min_contact_fraction=fraction)
        assert (pairs[0]["segmentation_label_1"], pairs[0]["segmentation_label_2"]) == (1, 2)
        assert pairs[0]["wall_missing"] == missing


@pytest.mark.parametrize("seed", range(3))
def test_strength_of_a_wall_is_the_mean_over_its_area_of_the_higher_voxel(seed):
    spacing, rng = (2.0, 0.5, 0.25), np.random.default_rng(seed)
    labels = rng.integers(0, 4, (4, 5, 6)).repeat(2, 1)
    ridges = rng.random(labels.shape, np.float32)
    expected = contacts_by_loop(labels, ridges, spacing)
    pairs = measure(labels, spacing, ridges)
    assert len(pairs) == 3
    for pair in pairs:
        area, strength = expected[pair["segmentation_label_1"], pair["segmentation_label_2"]]
        assert pair["wall_strength"] == pytest.approx(strength)
        assert pair["contact_area_um2"] <= area * (1 + 1e-9)


def test_wall_is_missing_below_the_minimum_strength():
    labels = np.ones((3, 6, 8), int)
    labels[:, :, 4:] = 2
    ridges = np.full(labels.shape, 0.3, np.float32)
    ridges[:, :, 3] = 0.6  # the higher voxel of each face
    for limit, missing in ((0.59, 0), (0.61, 1)):
        (pair,) = measure(labels, (2, 0.5, 0.25), ridges, min_wall_strength=limit)
        assert pair["wall_missing"] == missing


def test_contact_may_be_a_small_part_of_one_of_the_two_cells():
    labels = np.full((3, 20, 20), 3)
    labels[:, :, :10] = 1
    labels[:, 9:11, :1] = 2  # touches 1 alone, which touches 3 on a larger area
    ridges = np.zeros(labels.shape, np.float32)
    for fraction, missing in ((0.9, [1, 1]), (1.01, [0, 0])):
        pairs = measure(labels, (2, 0.5, 0.25), ridges, min_contact_fraction=fraction)
        assert [pair["wall_missing"] for pair in pairs] == missing
        assert pairs[0]["contact_area_um2"] < 0.3 * pairs[1]["contact_area_um2"]


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 4, 5), int), np.ones((3, 4, 5), int), np.eye(3, dtype=int)[None]]
)
def test_no_contacts(labels):
    assert measure(labels, (1, 1, 1)) == []


@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_area_does_not_depend_on_the_order_of_the_axes(seed, order):
    labels = np.random.default_rng(seed).integers(0, 4, (3, 6, 5)).repeat(2, 0).repeat(3, 2)
    spacing = np.array((1.0, 0.5, 0.7))
    one, other = (
        measure(labels, tuple(spacing)),
        measure(labels.transpose(order), tuple(spacing[order])),
    )
    assert [pair["contact_area_um2"] for pair in one] == pytest.approx(
        [pair["contact_area_um2"] for pair in other]
    )


def test_script_adds_the_labels_of_selected_cells(tmp_path):
    labels = np.zeros((3, 8, 12), np.uint16)
    labels[:, :, :4], labels[:, :, 4:8], labels[:, :, 8:] = 1, 2, 3
    write_stack(tmp_path / "segmentation.tif", labels, (1.0, 0.5, 0.5))
    write_stack(
        tmp_path / "membrane_ridges.tif", np.full(labels.shape, 0.4, np.float32), (1.0, 0.5, 0.5)
    )
    rows = [
        {"segmentation_label": str(i), "label": number, "volume_um3": "1", "reason": ""}
        for i, number in ((1, "0"), (2, "1"), (3, "0"))
    ]
    write_rows(tmp_path / "selection.csv", list(rows[0]), rows)
    files = {name: tmp_path / f"{name}.tif" for name in ("segmentation", "membrane_ridges")} | {
        "selection": tmp_path / "selection.csv"
    }
    main(**files, contacts=tmp_path / "contacts.csv", stack="a", object="cells", **OPTIONS)
    found = list(read_rows(tmp_path / "contacts.csv"))
    assert read_columns(tmp_path / "contacts.csv") == list(CONTACT_COLUMNS)
    assert [(row["label_1"], row["label_2"], row["contact_area_um2"]) for row in found] == [
        ("0", "1", "12"),
        ("1", "0", "12"),
    ]
    assert [(row["wall_strength"], row["wall_missing"]) for row in found] == [
        ("0.400000006", "1")
    ] * 2
