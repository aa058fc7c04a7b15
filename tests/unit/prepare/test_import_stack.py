"""Import of a channel: selection, conversion, downsampling, and the script as a whole."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import block_reduce
from study import ROOT

import import_stack as script
from cellstack.errors import InputError
from cellstack.files.records import read_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import read_stack
from cellstack.prepare.import_stack import (
    downsample_stack,
    fill_stack,
    pick_channel,
)

NAMES = ["membrane", "Nuclei", None]


@pytest.mark.parametrize(
    ("names", "channel_index", "channel", "expected"),
    [
        ([None], "", "nuclei", 0),
        ([None], None, "nuclei", 0),
        (["actin"], "", "nuclei", 0),
        (NAMES, "", "nuclei", 1),
        (NAMES, "2", "nuclei", 2),
        (NAMES, "membrane", "nuclei", 0),
        (NAMES, "MEMBRANE", "nuclei", 0),
        (["488", "405"], "405", "nuclei", 1),
        (["dapi", "DAPI"], "DAPI", "nuclei", 1),
    ],
)
def test_channel_by_number_or_name(names, channel_index, channel, expected):
    assert pick_channel("a.tif", names, channel_index, channel)[0] == expected


@pytest.mark.parametrize(
    ("axes", "shape", "hint"),
    [
        ("CYX", (5, 8, 9), "; if they are planes, correct the axes"),
        ("ZCYX", (2, 15, 8, 9), "; if they are planes, correct the axes"),
        ("ZCYX", (15, 2, 8, 9), "$"),
    ],
)
def test_many_channels_of_few_planes_can_be_planes(tmp_path, axes, shape, hint):
    metadata = {"axes": axes, "unit": "um", "spacing": 2}
    planes = np.zeros(shape, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", planes, imagej=True, metadata=metadata)
    with pytest.raises(InputError, match=f"channel_index in the sheet{hint}"):
        script.main(
            image=[tmp_path / "a.tif"],
            raw=tmp_path / "raw.tif",
            record=tmp_path / "import.json",
            channel="nuclei",
        )


@pytest.mark.parametrize(
    ("names", "channel_index", "channel", "expected"),
    [
        ([None, None], "", "nuclei", "it has 0, 1: fill in channel_index"),
        (NAMES, "", "actin", "it has 0 (membrane), 1 (Nuclei), 2: fill in channel_index"),
        (["a", "a"], "", "a", "fill in channel_index"),
        (NAMES, "3", "nuclei", "channel_index 3 matches no channel, it has 0 (membrane)"),
        (NAMES, "-1", "nuclei", "channel_index -1 matches no channel"),
        (NAMES, "dapi", "nuclei", "channel_index dapi matches no channel"),
        ([None], "1", "nuclei", "channel_index 1 matches no channel, it has 0"),
        (["dapi", "DAPI"], "Dapi", "nuclei", "matches 2 of its channels"),
        (["1", "0"], "1", "nuclei", "matches 2 of its channels"),
    ],
)
def test_a_missing_or_ambiguous_channel_is_an_error(names, channel_index, channel, expected):
    with pytest.raises(InputError) as error:
        pick_channel("a.tif", names, channel_index, channel)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.float16, np.float32]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=5),
    )
)
def test_planes_are_stacked_unchanged(planes):
    expected = planes.astype("float32") if planes.dtype.kind == "f" else planes
    if np.isfinite(expected).all():
        stack = fill_stack("a.tif", iter(planes), planes.shape, planes.dtype)
        assert stack.dtype == expected.dtype
        np.testing.assert_array_equal(stack, expected)
    else:
        count = np.count_nonzero(~np.isfinite(expected))
        with pytest.raises(InputError, match=f"a.tif: {count} (value is|values are) NaN"):
            fill_stack("a.tif", iter(planes), planes.shape, planes.dtype)


INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@given(
    hnp.arrays(
        st.sampled_from(["bool", *INTEGERS]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=4),
    )
)
def test_integers_of_any_type_keep_their_values_or_are_refused(planes):
    try:
        stack = fill_stack("a.tif", iter(planes), planes.shape, planes.dtype)
    except InputError:
        assert max(map(abs, planes.ravel().tolist())) > 2**24
    else:
        assert stack.dtype in ("uint8", "uint16", "float32")
        assert stack.tolist() == planes.tolist()


@pytest.mark.parametrize(
    ("dtype", "low", "high", "expected"),
    [
        ("bool", 0, 1, "uint8"),
        ("int8", 0, 127, "uint8"),
        ("int8", -1, 127, "float32"),
        ("int16", 0, 32767, "uint16"),
        ("int16", -32768, 32767, "float32"),
        ("uint32", 0, 200, "uint16"),
        ("int32", 0, 65535, "uint16"),
        ("uint32", 0, 65536, "float32"),
        ("int64", -(2**24), 2**24, "float32"),
        (">i2", 3, 4, "uint16"),
    ],
)
def test_the_type_of_integers_depends_on_their_range(dtype, low, high, expected):
    planes = np.array([[[low, high]]], dtype)
    stack = fill_stack("a.tif", planes, planes.shape, planes.dtype)
    assert (stack.dtype, stack.tolist()) == (expected, [[[low, high]]])


@pytest.mark.parametrize("value", [2**24 + 1, -(2**24) - 1, 2**40])
def test_integers_that_cannot_be_stored_exactly_are_an_error(value):
    planes = np.array([[[0, value]]], np.int64)
    with pytest.raises(InputError, match="beyond 16,777,216 cannot be stored exactly: convert"):
        fill_stack("a.tif", planes, planes.shape, planes.dtype)


@pytest.mark.parametrize("dtype", ["complex64", "longdouble"])
def test_other_types_are_an_error(dtype):
    planes = np.zeros((2, 3, 4), dtype)
    with pytest.raises(InputError, match=f"type {planes.dtype} are not supported: convert"):
        fill_stack("a.tif", planes, planes.shape, planes.dtype)


def test_values_beyond_float32_are_counted():
    planes = np.array([[[1.0, 1e300, np.nan]]])
    with pytest.raises(InputError, match=r"a\.tif: 2 values"):
        fill_stack("a.tif", planes, planes.shape, planes.dtype)


def test_a_missing_plane_is_an_error():
    planes = np.zeros((2, 3, 4), "uint8")
    with pytest.raises(ValueError, match="zip"):
        fill_stack("a.tif", planes, (3, 3, 4), planes.dtype)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.float32]),
        st.just((5, 6, 7)),
        elements={"min_value": 0, "max_value": 255},
    ),
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 7)),
)
def test_downsampling_is_the_mean_of_complete_blocks(stack, factors):
    before = stack.copy()
    small = downsample_stack(stack, factors)
    shape = tuple(length // factor for length, factor in zip(stack.shape, factors, strict=True))
    crop = stack[
        tuple(slice(count * factor) for count, factor in zip(shape, factors, strict=True))
    ].astype(float)
    mean = block_reduce(crop, factors, np.mean)
    assert small.shape == shape
    assert small.dtype == stack.dtype
    denormal = 1e-40  # float32 has fewer digits below it
    np.testing.assert_allclose(
        small, mean, rtol=1e-6, atol=denormal if stack.dtype.kind == "f" else 0.5 + 1e-9
    )
    np.testing.assert_array_equal(stack, before)


SHEET = {
    "channel": "nuclei",
    "channel_index": "",
    "z_um": None,
    "y_um": None,
    "x_um": None,
    "downsample": [1, 1, 1],
}


def run(image, folder, **sheet):
    script.main(
        image=image if isinstance(image, list) else [image],
        raw=folder / "raw.tif",
        record=folder / "import.json",
        **SHEET | sheet,
    )
    stack, spacing = read_stack(folder / "raw.tif")
    return stack, spacing, read_json(folder / "import.json")


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "given" / "two.ome.tif"
    path.parent.mkdir()
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["membrane", "nuclei"]}}
    metadata |= {
        "PhysicalSizeX": 0.26,
        "PhysicalSizeY": 0.26,
        "PhysicalSizeZ": 0.29,
        "PhysicalSizeZUnit": "µm",
    }
    tifffile.imwrite(
        path, np.arange(5 * 2 * 6 * 7, dtype="uint16").reshape(5, 2, 6, 7), metadata=metadata
    )
    return path


def test_the_script_writes_the_stack_and_a_record(image, tmp_path):
    stack, spacing, record = run(image, tmp_path, z_um=0.2901, downsample=[2, 3, 1])
    whole = tifffile.imread(image)[:, 1]
    np.testing.assert_array_equal(stack, downsample_stack(whole, (2, 3, 1)))
    assert spacing == (0.5802, 0.78, 0.26)
    assert record == {
        "files": ["two.ome.tif"],
        "format": "OME-TIFF",
        "axes": "ZCYX",
        "shape": [5, 2, 6, 7],
        "dtype": "uint16",
        "planes": 5,
        "scene": None,
        "time": None,
        "channels": ["membrane", "nuclei"],
        "channel": {
            "index": 1,
            "name": "nuclei",
            "why": "its name is the channel in the sheet, nuclei",
        },
        "spacing": {
            "z": {"um": 0.2901, "source": "sheet z_um", "file": "OME PhysicalSizeZ 0.29 µm"},
            "y": {"um": 0.26, "source": "OME PhysicalSizeY", "file": "OME PhysicalSizeY 0.26"},
            "x": {"um": 0.26, "source": "OME PhysicalSizeX", "file": "OME PhysicalSizeX 0.26"},
        },
        "downsample": [2, 3, 1],
        "raw": {"shape": [2, 2, 7], "dtype": "uint16", "spacing_um": [0.5802, 0.78, 0.26]},
        "acquisition": {"channels": [{"name": "membrane"}, {"name": "nuclei"}]},
        "no_data": None,
        "notices": [],
        "flags": [],
    }


def test_absent_chunks_are_flagged_up_to_a_half(tmp_path):
    stack = np.ones((4, 6, 8), np.uint16)
    folder = tmp_path / "a.zarr"
    group = zarr.create_group(folder, zarr_format=2)
    group.create_array("0", data=stack, chunks=(1, 3, 4))
    axes = [{"name": axis} for axis in "zyx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}]}]
    sizes = {"z_um": 1.0, "y_um": 0.5, "x_um": 0.5}
    assert run(folder, tmp_path / "out", **sizes)[2]["flags"] == []
    for z in (0, 1):
        for path in (folder / "0").glob(f"{z}.*"):
            path.unlink()
    flags = run(folder, tmp_path / "out", **sizes)[2]["flags"]
    assert flags == ["8 of 16 chunks are absent and are read as empty"]
    (folder / "0" / "2.0.0").unlink()
    with pytest.raises(InputError, match="9 of 16 chunks are absent, more than 50%: copy the"):
        run(folder, tmp_path / "out", **sizes)
    stack[:3] = 0  # the fix: the same image with its empty chunks
    with zarr.config.set({"array.write_empty_chunks": True}):
        group.create_array("0", data=stack, chunks=(1, 3, 4), overwrite=True)
    np.testing.assert_array_equal(run(folder, tmp_path / "out", **sizes)[0], stack)


def test_a_relative_path_is_recorded_as_given(image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(image.relative_to(tmp_path), tmp_path)[2]["files"] == ["given/two.ome.tif"]


def test_the_command_line_gives_the_same_bytes_as_a_call(image, tmp_path):
    run(image, tmp_path / "call", y_um=0.26, channel_index="nuclei")
    arguments = [
        "--image",
        image,
        "--raw",
        tmp_path / "line" / "raw.tif",
        "--record",
        tmp_path / "line" / "import.json",
        "--channel",
        "nuclei",
    ]
    arguments += ["--channel-index", "nuclei", "--y-um", "0.26", "--downsample", "[1, 1, 1]"]
    command = [sys.executable, ROOT / "scripts" / "import_stack.py", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("raw.tif", "import.json"):
        assert (tmp_path / "line" / name).read_bytes() == (tmp_path / "call" / name).read_bytes()

    arguments[arguments.index("0.26")] = "0.3"
    failed = subprocess.run([*command[:2], *arguments], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith(f"import_stack: {image}: the voxel size along y is 0.26 um")


def test_a_single_plane_is_a_stack_of_one(tmp_path):
    plane = np.arange(42, dtype="uint16").reshape(6, 7)
    tifffile.imwrite(tmp_path / "a.tif", plane)
    stack, spacing, record = run(tmp_path / "a.tif", tmp_path, y_um=0.5, x_um=0.4)
    np.testing.assert_array_equal(stack, plane[None])
    assert spacing == (0.5, 0.5, 0.4)
    assert "single plane" in record["notices"][-1]
    assert record["flags"] == ["only one plane (volumes are areas times 0.5 um)"]


def test_no_file_is_left_if_the_import_fails(image, tmp_path):
    with pytest.raises(InputError, match="downsample is 6 along z"):
        run(image, tmp_path, downsample=[6, 1, 1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given"]


REAL = [
    ("tutorial/nuclei.tif", {}, (30, 126, 126), (0.58, 0.5219, 0.5219)),
    ("metadata/dna_zcyx.tif", {"channel_index": "1"}, (45, 130, 133), (0.4994, 0.5119, 0.5119)),
    ("metadata/imagej_escaped_unit.tif", {}, (40, 152, 126), (0.15, 0.033854, 0.033854)),
    ("metadata/imagej_xy_spacing_only.tif", {"z_um": 0.7}, (14, 224, 305), (0.7, 0.24165, 0.24165)),
    ("metadata/imagej_no_spacing.tif", {"z_um": 3, "y_um": 2, "x_um": 1}, (7, 207, 207), (3, 2, 1)),
    (
        "mitotic/nucleus.tif",
        {"z_um": 0.29, "y_um": 0.26, "x_um": 0.26},
        (60, 60, 50),
        (0.29, 0.26, 0.26),
    ),
    (
        "embryo8/nuclei.tif",
        {"z_um": 1.75, "y_um": 0.8, "x_um": 0.8},
        (51, 120, 122),
        (1.75, 0.8, 0.8),
    ),
    ("planes/ch0", {"z_um": 5, "y_um": 2, "x_um": 2}, (30, 510, 667), (5, 2, 2)),
    ("planes/ch0/*.tif", {"z_um": 5, "y_um": 2, "x_um": 2}, (30, 510, 667), (5, 2, 2)),
]


@pytest.mark.parametrize(
    ("file", "sheet", "shape", "expected"), REAL, ids=[case[0] for case in REAL]
)
def test_real_stacks(data, tmp_path, file, sheet, shape, expected):
    stack, spacing, record = run(data / file, tmp_path, **sheet)
    assert stack.shape == shape
    assert spacing == pytest.approx(expected, rel=1e-4)
    assert str(data) not in json.dumps(record)
    if file.startswith("planes"):
        np.testing.assert_array_equal(
            stack[29], tifffile.imread(data / "planes" / "ch0" / "ch00029.tif")
        )
    elif file == "metadata/dna_zcyx.tif":
        np.testing.assert_array_equal(stack, tifffile.imread(data / file)[:, 1])
    else:
        np.testing.assert_array_equal(stack, tifffile.imread(data / file))


@pytest.mark.parametrize(
    ("file", "sheet", "expected"),
    [
        ("metadata/dna_zcyx.tif", {}, "it has 0, 1: fill in channel_index"),
        ("metadata/imagej_xy_spacing_only.tif", {}, "fill in z_um in the sheet"),
        ("metadata/imagej_no_spacing.tif", {}, "fill in z_um, y_um, x_um in the sheet"),
        ("mitotic/nucleus.tif", {}, "fill in z_um, y_um, x_um in the sheet"),
        ("embryo8/nuclei.tif", {}, "fill in z_um, y_um, x_um in the sheet"),
        ("planes/ch0", {}, "fill in z_um, y_um, x_um in the sheet"),
        (
            "tutorial/nuclei.tif",
            {"z_um": 0.29},
            "0.58 um in the file (ImageJ spacing 0.58 um) but 0.29 um in the sheet",
        ),
    ],
)
def test_real_stacks_with_incomplete_metadata_are_an_error(data, tmp_path, file, sheet, expected):
    with pytest.raises(InputError) as error:
        run(data / file, tmp_path, **sheet)
    assert expected in str(error.value)
    assert file in str(error.value)


@pytest.mark.parametrize(
    ("typed", "flagged"),
    [
        ({"z_um": 0.4, "y_um": 0.4, "x_um": 0.9}, True),
        ({"z_um": 0.9, "y_um": 0.4, "x_um": 0.4}, False),
        ({}, False),  # the voxels in the file are flat: a microscope does not mix up the axes
    ],
)
def test_only_voxel_sizes_of_the_sheet_can_be_flat_by_mistake(tmp_path, typed, flagged):
    metadata = {"axes": "ZYX", "spacing": 0.3, "unit": "um"}
    size = {} if typed else {"imagej": True, "resolution": (1.1, 1.1), "metadata": metadata}
    tifffile.imwrite(
        tmp_path / "a.tif", np.ones((4, 8, 9), np.uint16), photometric="minisblack", **size
    )
    outputs = {"raw": tmp_path / "raw.tif", "record": tmp_path / "import.json"}
    script.main(image=[tmp_path / "a.tif"], channel="nuclei", **outputs, **typed)
    flags = read_json(tmp_path / "import.json")["flags"]
    assert [flag.endswith("(check their order)") for flag in flags] == [True] * flagged


@pytest.mark.parametrize(
    ("pixels_per_um", "typed", "flag"),
    [
        ((2.5, 0.8), {}, "the voxel sizes along y (1.25 um) and x (0.4 um) differ"),
        ((2.5, 2.5), {}, None),
        ((1, 1), {}, "the voxel size along y and x is exactly 1 um in the file"),
        ((1, 1), {"y_um": 1, "x_um": 1}, None),
        ((1, 2), {}, None),
    ],
)
def test_unlikely_pixel_sizes_of_a_file_are_flagged(tmp_path, pixels_per_um, typed, flag):
    metadata = {"axes": "ZYX", "spacing": 1, "unit": "um"}
    options = {"imagej": True, "resolution": pixels_per_um, "metadata": metadata}
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 8, 9), np.uint16), **options)
    outputs = {"raw": tmp_path / "raw.tif", "record": tmp_path / "import.json"}
    script.main(image=[tmp_path / "a.tif"], channel="nuclei", **outputs, **typed)
    flags = read_json(tmp_path / "import.json")["flags"]
    assert [each.startswith(str(flag)) for each in flags] == [True] * (flag is not None)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "bool", "float64"])
@pytest.mark.parametrize("factors", [(1, 1, 1), (2, 1, 3)])
def test_stacks_in_files_are_those_in_memory(tmp_path, dtype, factors):
    planes = np.random.default_rng(0).integers(0, 900, (5, 6, 7)).astype(dtype)
    expected = downsample_stack(fill_stack("a", iter(planes), planes.shape, planes.dtype), factors)
    with scratch_stacks(tmp_path) as allocate:
        filled = fill_stack("a", iter(planes), planes.shape, planes.dtype, allocate)
        found = downsample_stack(filled, factors, allocate)
        assert not isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found[:], expected)
