import csv

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import marching_cubes, mesh_surface_area, regionprops_table

import measure_objects as script
from cellstack.config.object_columns import GROUPS, column_names, describe
from cellstack.config.reasons import IRREGULAR, PARTS, SMALL
from cellstack.core.labels import find_boxes
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_labels, write_stack
from cellstack.files.tables import write_rows
from cellstack.measure import flag_objects
from cellstack.measure import measure_objects as module
from cellstack.measure.measure_objects import MEASURED, ON_REQUEST

SPACINGS = [(1.0, 1.0, 1.0), (0.29, 0.26, 0.26), (4.0, 1.0, 1.0), (1.6, 0.2, 0.25)]


def blobs(shape, count, seed=0):
    """Boxes and ellipsoids at random positions, which may overlap, as labels 1..n."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    grid = np.indices(shape)
    for label in range(1, count + 1):
        centre, radius = (
            [rng.uniform(0, size) for size in shape],
            [rng.uniform(1, max(1.5, size / 4)) for size in shape],
        )
        distance = [np.abs(axis - c) / r for axis, c, r in zip(grid, centre, radius, strict=True)]
        labels[
            (np.max(distance, axis=0) if label % 2 else np.linalg.norm(distance, axis=0)) <= 1
        ] = label
    return np.unique(labels, return_inverse=True)[1].reshape(shape).astype(np.uint16)


def measure(labels, spacing, **channels):
    boxes = find_boxes(labels)
    rows = module.measure_shapes(labels, boxes, spacing)
    for name, raw in channels.items():
        more = module.measure_intensities(labels, boxes, raw, spacing, name)
        rows = [row | each for row, each in zip(rows, more, strict=True)]
    return rows


def compare(labels, raw, spacing):
    rows = measure(labels, spacing, a=raw)
    keys = (
        "label",
        "num_pixels",
        "area",
        "equivalent_diameter_area",
        "centroid",
        "bbox",
        "axis_major_length",
        "axis_minor_length",
    )
    keys += (
        "area_filled",
        "extent",
        "euler_number",
        "inertia_tensor_eigvals",
        "inertia_tensor",
        "centroid_weighted",
    )
    intensities = (
        "intensity_mean",
        "intensity_std",
        "intensity_median",
        "intensity_min",
        "intensity_max",
    )
    expected = regionprops_table(
        labels, raw.astype(float), spacing=spacing, properties=keys + intensities
    )
    names = {
        "label": "label",
        "volume_voxels": "num_pixels",
        "volume_um3": "area",
        "equivalent_diameter_um": "equivalent_diameter_area",
        "filled_volume_um3": "area_filled",
        "extent": "extent",
        "euler_number": "euler_number",
        **{
            f"inertia_{axis}_um2": f"inertia_tensor_eigvals-{i}"
            for i, axis in enumerate(("minor", "middle", "major"))
        },
        **{
            f"centroid_weighted_a_{axis}_um": f"centroid_weighted-{i}"
            for i, axis in enumerate("zyx")
        },
        **{f"centroid_{axis}_um": f"centroid-{i}" for i, axis in enumerate("zyx")},
        **{f"bbox_min_{axis}": f"bbox-{i}" for i, axis in enumerate("zyx")},
        **{f"bbox_max_{axis}": f"bbox-{i + 3}" for i, axis in enumerate("zyx")},
        "axis_major_length_um": "axis_major_length",
        "axis_minor_length_um": "axis_minor_length",
        **{
            f"{kind}_intensity_a": f"intensity_{'std' if kind == 'sd' else kind}"
            for kind in ("mean", "sd", "median", "min", "max")
        },
    }
    count = np.array(expected["num_pixels"], float)
    count[count == 1] = np.nan  # no standard deviation
    expected["intensity_std"] = expected["intensity_std"] * np.sqrt(count / (count - 1))
    assert len(rows) == len(expected["label"])
    for name, other in names.items():
        # a length of 0 is the square root of a rounding error
        np.testing.assert_allclose(
            np.array([row[name] for row in rows], float),
            expected[other],
            rtol=1e-6,
            atol=2e-6,
            err_msg=name,
        )
    for i, row in enumerate(rows):
        tensor = np.array(
            [[expected[f"inertia_tensor-{j}-{k}"][i] for k in range(3)] for j in range(3)]
        )
        for name in ("minor", "middle", "major"):
            direction = np.array([row[f"direction_{name}_{axis}"] for axis in "zyx"])
            np.testing.assert_allclose(
                tensor @ direction,
                row[f"inertia_{name}_um2"] * direction,
                rtol=1e-6,
                atol=1e-4 * np.abs(tensor).max(),
            )
            assert np.linalg.norm(direction) == pytest.approx(1)
        values = raw[labels == row["label"]]
        assert row["sum_intensity_a"] == (
            values.sum(dtype=object)
            if raw.dtype.kind == "u"
            else pytest.approx(values.sum(dtype=float))
        )
        percentiles = [row[f"p{percent}_intensity_a"] for percent in (5, 25, 75, 95)]
        np.testing.assert_allclose(percentiles, np.percentile(values, (5, 25, 75, 95)), rtol=1e-6)
        assert (
            row["axis_minor_length_um"]
            <= row["axis_middle_length_um"]
            <= row["axis_major_length_um"]
        )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_agrees_with_scikit_image(dtype, spacing):
    labels = blobs((13, 40, 31), 12)
    noise = np.random.default_rng(1).random(labels.shape)
    raw = (
        noise.astype(dtype) if dtype is np.float32 else (noise * np.iinfo(dtype).max).astype(dtype)
    )
    compare(labels, raw, spacing)


@pytest.mark.parametrize("shape", [(1, 20, 20), (20, 1, 20), (20, 20, 1), (2, 3, 50)])
def test_agrees_with_scikit_image_on_thin_stacks(shape):
    labels = blobs(shape, 3)
    compare(labels, labels.astype(np.uint8) * 7, (2.0, 0.5, 0.25))


def test_agrees_with_scikit_image_on_real_labels(data):
    labels = tifffile.imread(data / "tutorial" / "nuclei_labels_full_grid.tif")
    assert labels.max() == 22
    compare(
        labels,
        np.random.default_rng(0).integers(0, 65535, labels.shape, dtype=np.uint16),
        (0.29, 0.26, 0.26),
    )


def test_axes_of_an_ellipsoid():
    z, y, x = np.ogrid[-10:11, -30:31, -20:21]
    labels = ((z * 2 / 18) ** 2 + (y / 28) ** 2 + (x / 19.5) ** 2 <= 1).astype(np.uint16)
    (row,) = measure(labels, (2, 1, 1))
    found = [row[f"axis_{which}_length_um"] for which in ("major", "middle", "minor")]
    assert found == pytest.approx([56, 39, 36], rel=0.01)


def test_directions_of_an_ellipsoid():
    z, y, x = np.ogrid[-10:11, -30:31, -20:21]
    labels = ((z * 2 / 18) ** 2 + (y / 28) ** 2 + (x / 10) ** 2 <= 1).astype(np.uint16)
    (row,) = measure(labels, (2, 1, 1))
    found = [
        [row[f"direction_{which}_{axis}"] for axis in "zyx"]
        for which in ("major", "middle", "minor")
    ]
    np.testing.assert_allclose(found, [[0, 1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-6)


def test_solidity_of_a_ball_and_a_bowl():
    z, y, x = np.ogrid[-8:9, -8:9, -8:9]
    ball = z**2 + y**2 + x**2 <= 64
    (row,) = measure(ball.astype(np.uint16), (1, 1, 1))
    assert (row["solidity"], row["convex_volume_um3"]) == (1, row["volume_um3"])
    assert row["feret_diameter_max_um"] == 17
    (bowl,) = measure((ball & (z > 0) & (z**2 + y**2 + x**2 > 36)).astype(np.uint16), (1, 1, 1))
    assert 0.5 < bowl["solidity"] < 0.7


def test_faces_touched_by_an_object():
    labels = np.zeros((4, 5, 6), np.uint16)
    labels[0, 1:4, 1:4] = 1
    labels[2:4, 2, 5] = 2
    touched = [
        [name for name, value in row.items() if name.startswith("touches_") and value]
        for row in measure(labels, (1, 1, 1))
    ]
    assert touched == [["touches_first_plane"], ["touches_last_plane", "touches_last_column"]]


def test_surface_area_with_unit_spacing():
    labels = blobs((13, 40, 31), 12)
    for row, cubes in zip(measure(labels, (4, 1, 0.5)), measure(labels, (1, 1, 1)), strict=True):
        assert (
            row["surface_area_unit_spacing"] == cubes["surface_area_um2"] != row["surface_area_um2"]
        )


def test_mesh_areas_are_those_of_the_notebook():
    """The notebook transposes the complete label image to (row, column, plane)."""
    spacing = (4.0, 1.0, 0.5)
    labels = np.pad(blobs((13, 40, 31), 12), 1)
    boxes = find_boxes(labels)
    rows = module.measure_shapes(labels, boxes, spacing, groups=["mesh"])
    assert len(rows) > 3
    for row in rows:
        volume = (labels == row["label"]).transpose(1, 2, 0)
        for name, level, steps in (
            ("mesh_area_outer_unit_spacing", 0, (1.0, 1.0, 1.0)),
            ("mesh_area_outer_um2", 0, (1.0, 0.5, 4.0)),
            ("mesh_area_um2", 0.5, (1.0, 0.5, 4.0)),
        ):
            vertices, faces, _, _ = marching_cubes(volume, level, spacing=steps)
            assert row[name] == pytest.approx(mesh_surface_area(vertices, faces), rel=1e-3)


def test_mesh_areas_are_measured_on_request_only():
    labels = blobs((13, 40, 31), 12)
    assert not any("mesh" in name for name in measure(labels, (1, 1, 1))[0])


def test_weighted_centroid_without_intensity_is_missing():
    labels = np.ones((2, 3, 4), np.uint16)
    assert measure(labels, (1, 1, 1), a=labels * 0)[0]["centroid_weighted_a_z_um"] is None


def test_sd_of_large_nearly_equal_values_is_precise():
    raw = np.full((4, 30, 30), 60000.0, np.float32)
    raw[::2] += 0.5
    (row,) = measure(np.ones(raw.shape, np.uint16), (1, 1, 1), a=raw)
    assert row["sd_intensity_a"] == pytest.approx(0.25 * np.sqrt(3600 / 3599), rel=1e-9)
    assert row["mean_intensity_a"] == pytest.approx(60000.25, rel=1e-12)


@given(st.integers(0, 10**6), st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_measurements_scale_with_the_spacing(seed, factor):
    labels = blobs((6, 12, 9), 3, seed)
    spacing = (0.7, 0.3, 0.2)
    powers = {"_um": 1, "_um2": 2, "_um3": 3}
    for row, scaled in zip(
        measure(labels, spacing), measure(labels, [step * factor for step in spacing]), strict=True
    ):
        for name, value in row.items():
            power = next((power for ending, power in powers.items() if name.endswith(ending)), 0)
            assert scaled[name] == pytest.approx(value * factor**power, rel=1e-6, abs=1e-6), name


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_measurements_do_not_depend_on_the_order_of_labels(seed, random):
    labels = blobs((6, 12, 9), 4, seed)
    count = int(labels.max())
    order = random.sample(range(1, count + 1), count)
    raw = np.random.default_rng(seed).integers(0, 255, labels.shape, dtype=np.uint8)
    permuted = measure(np.array([0, *order], np.uint16)[labels], (2, 1, 1), a=raw)
    for row, new in zip(measure(labels, (2, 1, 1), a=raw), order, strict=True):
        assert permuted[new - 1] == row | {"label": new}


def test_inputs_are_not_modified():
    labels = blobs((13, 40, 31), 12)
    raw = np.random.default_rng(0).random(labels.shape, np.float32)
    labels.flags.writeable = raw.flags.writeable = False
    assert len(measure(labels, (2, 1, 1), a=raw)) == labels.max()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 5, 5), (4, 1, 1), (1, 1, 6)])
def test_measurements_of_small_objects_are_finite(size):
    labels = np.zeros((6, 8, 8), np.uint16)
    labels[tuple(slice(1, 1 + n) for n in size)] = 1
    (row,) = measure(labels, (8, 1, 1), a=labels)
    sd = row.pop("sd_intensity_a")
    assert all(np.isfinite(value) for value in row.values())
    assert row["surface_area_um2"] > 0
    assert sd == (0 if row["volume_voxels"] > 1 else None)


def tiny_objects():
    """Objects of 1 to 27 voxels in a grid, next to each other and at the faces of the stack."""
    rng = np.random.default_rng(5)
    labels = np.zeros((9, 12, 15), np.uint16)
    sizes = [1, 2, 2, 3, 5, 8, 13, 27]
    for label, place in enumerate(np.ndindex(3, 4, 5), 1):
        block = labels[tuple(slice(3 * at, 3 * at + 3) for at in place)]
        voxels = np.zeros(27, np.uint16)
        voxels[rng.choice(27, sizes[label % 8], replace=False)] = label
        block[:] = voxels.reshape(3, 3, 3)
    return labels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiny_objects_have_the_values_of_others(dtype, monkeypatch):
    labels, spacing = tiny_objects(), (2.0, 0.5, 0.4)
    raw = np.random.default_rng(0).integers(0, 250, labels.shape).astype(dtype)
    raw[labels == 7] = 0  # without intensity there is no weighted centroid
    if dtype is np.float32:
        raw -= np.float32(20.25)
    together = measure(labels, spacing, a=raw)
    monkeypatch.setattr(module, "MAX_BOX_OF_TINY_OBJECT", 0)
    each = measure(labels, spacing, a=raw)
    assert [list(row) for row in together] == [list(row) for row in each]
    for row, expected in zip(together, each, strict=True):
        np.testing.assert_allclose(
            np.array([*row.values()], float), np.array([*expected.values()], float), rtol=1e-12
        )
    assert together[6]["centroid_weighted_a_x_um"] is None


def test_tiny_objects_agree_with_scikit_image():
    labels = tiny_objects()
    compare(labels, np.random.default_rng(1).integers(0, 65535, labels.shape), (2.0, 0.5, 0.25))


def test_size_and_shape_of_one_and_two_voxels():
    labels = np.zeros((6, 7, 8), np.uint16)
    labels[1, 1, 1] = 1
    labels[4:6, 1, 1], labels[1, 3:5, 1], labels[1, 1, 5:7] = 2, 3, 4
    labels[4, 4, 4] = labels[5, 5, 5] = 5  # they share a corner
    spacing = (2.0, 0.5, 0.4)
    rows = measure(labels, spacing)
    assert [row["volume_voxels"] for row in rows] == [1, 2, 2, 2, 2]
    assert [row["volume_um3"] for row in rows] == pytest.approx([0.4, 0.8, 0.8, 0.8, 0.8])
    assert [row["convex_volume_um3"] for row in rows] == [row["volume_um3"] for row in rows]
    assert [row["solidity"] for row in rows] == [1] * 5
    assert [row["extent"] for row in rows] == [1, 1, 1, 1, 0.25]
    assert [row["euler_number"] for row in rows] == [1] * 5
    # Greatest distance between the centres of two parallel faces.
    feret = [2, 4, np.hypot(2, 0.5), np.hypot(2, 0.4), np.linalg.norm((4, 0.5, 0.4))]
    assert [row["feret_diameter_max_um"] for row in rows] == pytest.approx(feret)
    # The ellipsoid has a semi-axis of the square root of 5 times the sd along it, half a step.
    length = 2 * 5**0.5 * np.array([0, 2, 0.5, 0.4, np.linalg.norm(spacing)]) / 2
    assert [row["axis_major_length_um"] for row in rows] == pytest.approx(length)
    directions = [[row[f"direction_major_{axis}"] for axis in "zyx"] for row in rows]
    np.testing.assert_allclose(directions[1:4], np.eye(3))
    np.testing.assert_allclose(directions[4], spacing / np.linalg.norm(spacing))


@pytest.mark.parametrize("threads", [1, 3])
def test_contrast_of_tiny_objects_is_unknown(threads):
    # A fifth of their diameter away from them there is no other voxel.
    labels, spacing = np.zeros((5, 9, 9), np.uint16), (2.0, 0.5, 0.4)
    labels[2, 4, 4:6] = labels[2, 1, 1] = 1
    labels[2, 4, 8] = 2
    boxes = find_boxes(labels)
    raw = np.random.default_rng(0).integers(0, 99, labels.shape)
    rows = module.measure_objects(
        labels,
        boxes,
        {1: 1, 2: 2},
        [("a", raw)],
        spacing,
        contrast_channel="a",
        threads=threads,
    )
    assert [row["flags"] for row in rows] == [PARTS, "touches last column"]


@pytest.mark.parametrize(("columns", "close"), [(7, True), (9, False)])
def test_seeds_are_close_below_half_the_median_diameter(columns, close):
    # Two cubes of 4 um and one of 20 um: the median diameter is 4.96 um.
    spacing = (1.0, 0.5, 0.3)
    labels, seeds = np.zeros((2, 24, 48, 150), np.uint16)
    labels[1:5, 2:10, 2:15], labels[1:5, 2:10, 15:28], labels[2:22, 2:42, 30:97] = 1, 2, 3
    seeds[2, 5, 12], seeds[2, 5, 12 + columns], seeds[9, 9, 40], seeds[9, 9, 43] = 1, 2, 3, 4
    boxes = find_boxes(labels)
    rows = module.measure_objects(
        labels,
        boxes,
        {label: label for label in boxes},
        [],
        spacing,
        contrast_channel="a",
        seeds=seeds,
    )
    assert [row["flags"] for row in rows] == [*["seeds close together" if close else ""] * 2, ""]


@pytest.mark.parametrize("planes", [1, 2])
def test_first_and_last_plane_are_flagged_unless_there_is_only_one(planes):
    labels = np.zeros((planes, 9, 9), np.uint16)
    labels[:, 2:5, 2:5], labels[:, 6:9, 6:8] = 1, 2
    boxes, numbers = find_boxes(labels), {1: 1, 2: 2}
    rows = module.measure_objects(labels, boxes, numbers, [], (2, 0.5, 0.4), contrast_channel="a")
    axial = ["touches first plane", "touches last plane"] if planes > 1 else []
    assert [row["flags"] for row in rows] == [
        ";".join(axial),
        ";".join([*axial, "touches last row"]),
    ]


def test_objects_at_the_border_of_voxels_without_data_are_flagged():
    labels = np.zeros((5, 9, 12), np.uint16)
    labels[1:4, 2:5, 2:5], labels[1:4, 2:5, 7:9] = 1, 2
    no_data = np.zeros(labels.shape, bool)
    no_data[:, :, 9:] = True
    rows = module.measure_objects(
        labels,
        find_boxes(labels),
        {1: 1, 2: 2},
        [],
        (2, 0.5, 0.4),
        contrast_channel="a",
        no_data=no_data,
    )
    assert [row["flags"] for row in rows] == ["", "touches no data"]


def test_all_columns_are_defined():
    row = measure(
        np.ones((2, 3, 3), np.uint16), (1, 1, 1), nuclei=np.ones((2, 3, 3)), b7=np.ones((2, 3, 3))
    )[0]
    columns = column_names({group: ["nuclei", "b7"] for group in MEASURED})
    assert [name for name in columns if name in row] == list(row)
    without_channel = {"contrast_to_noise_ratio", "flags", "corrections"}
    assert set(columns) - row.keys() == {"stack", "object", "segmentation_label"} | without_channel
    units = {
        name.rpartition("_")[2]: describe(name)[0]
        for name in columns
        if name.endswith(("_um", "_um2", "_um3"))
    }
    assert units == {"um": "um", "um2": "um2", "um3": "um3"}
    assert describe("centroid_weighted_b7_z_um") == (
        "um",
        "Mean position along z, weighted by the raw values of channel b7",
    )
    assert describe("sum_intensity_b7")[1] == "Sum of the raw values of channel b7"
    assert describe("condition") is None


@pytest.fixture
def files(tmp_path):
    labels = blobs((7, 20, 21), 4)
    count = int(labels.max())
    raw = np.random.default_rng(0).integers(0, 4000, labels.shape, dtype=np.uint16)
    spacing = (2.0, 0.5, 0.4)
    write_labels(tmp_path / "labels.ome.tif", labels, spacing)
    write_stack(
        tmp_path / "segmentation.tif",
        np.where(labels > 0, labels + 10, 0).astype(np.uint16),
        spacing,
    )
    write_stack(tmp_path / "seeds.tif", np.zeros(labels.shape, np.uint16), spacing)
    write_stack(tmp_path / "a.tif", raw, spacing)
    write_stack(tmp_path / "b.tif", raw.astype(np.float32) / 4000, spacing)
    lines = ["segmentation_label,label,volume_um3,reason", "1,,3.5,lateral face"]
    lines += [f"{label + 10},{label},9.5,kept" for label in range(1, count + 1)]
    (tmp_path / "selection.csv").write_text("\n".join(lines) + "\n")
    return {
        "labels": tmp_path / "labels.ome.tif",
        "selection": tmp_path / "selection.csv",
        "segmentation": tmp_path / "segmentation.tif",
        "raw": [tmp_path / "a.tif", tmp_path / "b.tif"],
        "seeds": [tmp_path / "seeds.tif"],
        "objects": tmp_path / "objects.csv",
        "stack": "s1",
        "object": "nuclei",
        "channels": ["a", "b"],
        "groups": list(MEASURED),
    }


def test_script_writes_one_row_per_object(files):
    script.main(**files)
    labels, spacing = read_stack(files["labels"])
    with files["objects"].open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == column_names({group: ["a", "b"] for group in MEASURED})
    assert [
        (row["stack"], row["object"], row["label"], row["segmentation_label"]) for row in rows
    ] == [
        ("s1", "nuclei", str(label), str(label + 10)) for label in range(1, int(labels.max()) + 1)
    ]
    raw = read_stack(files["raw"][0])[0]
    for row in rows:
        values = raw[labels == int(row["label"])]
        assert int(row["sum_intensity_a"]) == values.sum(dtype=int)
        assert float(row["sd_intensity_b"]) == pytest.approx(values.std(ddof=1) / 4000, rel=1e-5)
        assert float(row["volume_um3"]) == pytest.approx(len(values) * np.prod(spacing))
    first = files["objects"].read_bytes()
    script.main(**files)
    assert files["objects"].read_bytes() == first


def test_script_flags_objects_at_a_face_with_close_seeds_or_low_contrast(files):
    labels, spacing = read_stack(files["labels"])
    first, outside = np.argwhere(labels == 1)[0], np.argwhere(labels == 0)
    beside = outside[np.abs((outside - first) * spacing).sum(axis=1).argmin()]
    seeds, segmentation = np.zeros_like(labels), read_stack(files["segmentation"])[0].copy()
    seeds[tuple(first)], seeds[tuple(beside)] = 1, 2
    segmentation[tuple(beside)] = 1  # an object that is not measured
    write_stack(files["seeds"][0], seeds, spacing)
    write_stack(files["segmentation"], segmentation, spacing)
    script.main(**files | {"channels": ["nuclei", "b"]})
    rows = list(csv.DictReader(files["objects"].open()))
    for row in rows:
        flags = row["flags"].split(";") if row["flags"] else []
        assert ("seeds close together" in flags) == (row["label"] == "1")
        assert ("touches last column" in flags) == (row["touches_last_column"] == "1")
        assert "low contrast" in flags  # the channel is noise
    script.main(**files | {"seeds": []})
    rows = list(csv.DictReader(files["objects"].open()))
    assert not any(
        "seeds" in row["flags"] or "contrast" in row["flags"] for row in rows
    )  # no seeds, and no channel of this name


def test_script_adds_columns_and_flags_of_pairs(files):
    count = int(read_stack(files["labels"])[0].max())
    pairs = [
        {
            "segmentation_label": label + 10,
            "flags": "no nucleus" if label == 2 else "",
            "nuclei_count": "7",
        }
        for label in range(count, 1, -1)  # in any order; the first object has no row
    ]
    write_rows(files["objects"].with_name("pairs.csv"), list(pairs[0]), pairs)
    script.main(**files)
    without = list(csv.DictReader(files["objects"].open()))
    script.main(**files, tables=[files["objects"].with_name("pairs.csv")])
    joined = list(csv.DictReader(files["objects"].open()))
    assert list(joined[0]) == [*without[0], "nuclei_count"]
    for row, before in zip(joined, without, strict=True):
        found = [flag for flag in before["flags"].split(";") if flag]
        found += ["no nucleus"] if row["label"] == "2" else []
        count = "" if row["label"] == "1" else "7"
        assert row == before | {"nuclei_count": count, "flags": ";".join(found)}
    assert any(row["flags"] for row in without)  # "touches ..."


@pytest.mark.parametrize(
    ("factors", "accepted"), [((1.005, 1, 1), True), ((1, 1.02, 1), False), ((1, 1, 0.98), False)]
)
def test_script_rejects_channels_of_another_voxel_size(files, factors, accepted):
    values, spacing = read_stack(files["raw"][1])
    steps = tuple(step * factor for step, factor in zip(spacing, factors, strict=True))
    write_stack(files["raw"][1], np.array(values), steps)
    if accepted:
        script.main(**files)
    else:
        with pytest.raises(InputError, match=r"b\.tif has voxels of .* need the same voxel size"):
            script.main(**files)


@pytest.mark.parametrize("group", [*MEASURED, *ON_REQUEST])
def test_columns_of_other_groups_are_not_measured(files, group):
    script.main(**files | {"groups": [*MEASURED, *ON_REQUEST]})
    complete = list(csv.DictReader(files["objects"].open()))
    script.main(**files | {"groups": [group]})
    names = column_names({group: ["a", "b"]})
    assert GROUPS[group].keys() & set(names) or group == "intensity"
    for row, full in zip(csv.DictReader(files["objects"].open()), complete, strict=True):
        assert list(row) == names
        row.pop("flags")
        assert row == {name: full[name] for name in row}


def test_shapes_are_flagged_only_with_their_hull():
    rows = [
        {"segmentation_label": i, "volume_um3": 8.0 + i, "touches_last_row": 0} for i in range(9)
    ]
    rows[4]["volume_um3"] = 1.0
    with_hull = [row | {"solidity": 0.9 + 0.001 * i} for i, row in enumerate(rows)]
    with_hull[5]["solidity"] = 0.5
    expected = [""] * 9
    expected[4] = SMALL
    assert flag_objects.flag_objects(rows) == expected
    expected[5] = IRREGULAR
    assert flag_objects.flag_objects(with_hull) == expected


def test_objects_in_several_parts_are_flagged(files):
    labels, spacing = read_stack(files["labels"])
    labels = np.where(labels == 2, 1, labels)  # one label for two objects
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.uint16)
    labels[labels == 1] = 0
    labels[0, 0, 0] = labels[6, 19, 20] = 1
    write_labels(files["labels"], labels, spacing)
    segmented = np.where(labels > 0, labels + 10, 0).astype(np.uint16)
    write_stack(files["segmentation"], segmented, spacing, is_labels=True)
    lines = ["segmentation_label,label,volume_um3,reason"]
    lines += [f"{label + 10},{label},9.5,kept" for label in range(1, int(labels.max()) + 1)]
    files["selection"].write_text("\n".join(lines) + "\n")
    script.main(**files)
    rows = list(csv.DictReader(files["objects"].open()))
    assert [row["label"] for row in rows if PARTS in row["flags"].split(";")] == ["1"]


def test_script_writes_a_header_without_objects(files):
    write_labels(files["labels"], np.zeros((7, 20, 21), np.uint16), (2, 0.5, 0.4))
    files["selection"].write_text(
        "segmentation_label,label,volume_um3,reason\n1,0,3.5,lateral face\n"
    )
    script.main(**files)
    assert (
        files["objects"].read_text()
        == ",".join(column_names({group: ["a", "b"] for group in MEASURED})) + "\n"
    )


def test_script_rejects_files_that_do_not_match(files):
    write_stack(files["raw"][1], np.zeros((7, 20, 20), np.uint16), (2, 0.5, 0.4))
    with pytest.raises(
        InputError,
        match=r"b\.tif has shape \(7, 20, 20\), .*labels\.ome\.tif has shape \(7, 20, 21\)",
    ):
        script.main(**files)
    files["selection"].write_text("segmentation_label,label,volume_um3,reason\n11,1,3.5,kept\n")
    with pytest.raises(
        InputError, match=r"selection\.csv and .*labels\.ome\.tif have different objects"
    ):
        script.main(**files)


@pytest.mark.parametrize("threads", [2, 3, 9])
def test_result_does_not_depend_on_threads(files, threads):
    files["object"] = "a"  # whose contrast is measured too
    script.main(**files)
    expected = files["objects"].read_bytes()
    script.main(**files, threads=threads)
    assert files["objects"].read_bytes() == expected
