import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cellstack import __version__
from cellstack.core.labels import label_type
from cellstack.core.planes import ComputedPlanes
from cellstack.errors import InputError
from cellstack.files import mapped, stacks
from cellstack.files.atomic import atomic_folder, atomic_write
from cellstack.files.records import read_json, write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack, read_stack, write_labels, write_stack

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 6, 7), (7, 1, 1), (3, 4, 5), (2, 3, 4), (4, 17, 31)]
SPACING = (1 / 3, 0.26, 0.1 + 0.2)  # without short decimals
WRITERS = [
    *[(write_stack, name) for name in ("uint8", "uint16", "uint32", "float32", "float64")],
    *[(write_labels, name) for name in ("uint16", "uint32")],
]
STEPS = st.floats(1e-4, 1e4)


def numbers(shape, dtype):
    """Return values that need all bytes of their type, in an order that a transposition changes."""
    stack = (
        np.random.default_rng(0).permutation(np.linspace(0, 1, int(np.prod(shape)))).reshape(shape)
    )
    return (stack if dtype.startswith("float") else np.round(stack * np.iinfo(dtype).max)).astype(
        dtype
    )


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_round_trip(tmp_path, write, dtype, shape):
    stack = numbers(shape, dtype)
    stack.flags.writeable = False
    write(tmp_path / "a.tif", stack, SPACING)
    found, spacing = read_stack(tmp_path / "a.tif")
    assert spacing == SPACING
    assert found.dtype == stack.dtype
    assert np.array_equal(found, stack)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@settings(max_examples=30)
@given(st.tuples(STEPS, STEPS, STEPS))
@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_spacing_is_exact(tmp_path_factory, dtype, spacing):
    path = tmp_path_factory.getbasetemp() / "spacing.tif"
    write_stack(path, np.zeros((2, 1, 3), dtype), spacing)
    assert read_stack(path)[1] == spacing


@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_same_bytes_for_the_same_input(tmp_path, write, dtype):
    stack = numbers((3, 8, 9), dtype)
    for folder in "ab":
        write(tmp_path / folder / "same.tif", stack, SPACING)
    assert (tmp_path / "a" / "same.tif").read_bytes() == (tmp_path / "b" / "same.tif").read_bytes()


@pytest.mark.parametrize("dtype", [name for write, name in WRITERS if write is write_stack])
def test_stacks_can_be_memory_mapped(tmp_path, dtype):
    stack = numbers((5, 8, 9), dtype)
    write_stack(tmp_path / "a.tif", stack, SPACING)
    mapped = tifffile.memmap(tmp_path / "a.tif", mode="r")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, stack)


@pytest.mark.parametrize(
    ("dtype", "imagej"),
    [("uint8", True), ("uint16", True), ("float32", True), ("uint32", False), ("float64", False)],
)
def test_types_unknown_to_imagej_are_written_as_ome(tmp_path, dtype, imagej):
    write_stack(tmp_path / "a.tif", numbers((2, 3, 4), dtype), SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert (tif.is_imagej, tif.is_ome) == (imagej, not imagej)


def test_stacks_too_large_for_imagej_are_written_as_ome(tmp_path, monkeypatch):
    stack = numbers((2, 3, 4), "uint8")
    monkeypatch.setattr(stacks, "LARGE_BYTES", stack.nbytes)
    write_stack(tmp_path / "a.tif", stack, SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_ome
    assert np.array_equal(read_stack(tmp_path / "a.tif")[0], stack)


def test_imagej_metadata_has_scale_and_display_range(tmp_path):
    write_stack(tmp_path / "a.tif", numbers((2, 3, 4), "uint8"), (2.0, 0.5, 0.25), display=(0, 1))
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        facts = tif.imagej_metadata
        assert (facts["spacing"], facts["unit"], facts["slices"]) == (2.0, "um", 2)
        assert (facts["min"], facts["max"]) == (0, 1)
        tags = tif.pages[0].tags
        assert tags["YResolution"].value == (2, 1)
        assert tags["XResolution"].value == (4, 1)


@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_files_name_the_software_and_its_version(tmp_path, write, dtype):
    write(tmp_path / "a.tif", numbers((2, 3, 4), dtype), SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.pages[0].software == f"cellstack {__version__}"


def test_labels_are_compressed_and_have_physical_sizes(tmp_path):
    labels = np.zeros((4, 64, 64), "uint16")
    write_labels(tmp_path / "labels.ome.tif", labels, (2.0, 0.5, 0.25))
    assert (tmp_path / "labels.ome.tif").stat().st_size < labels.nbytes / 4
    with tifffile.TiffFile(tmp_path / "labels.ome.tif") as tif:
        image = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]
    assert image["Name"] == "labels.ome.tif"
    assert [image["Pixels"][f"PhysicalSize{axis}"] for axis in "ZYX"] == [2.0, 0.5, 0.25]
    assert {image["Pixels"][f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {"µm"}


def test_label_files_do_not_depend_on_threads(tmp_path):
    # several strips per plane
    labels = np.random.default_rng(0).integers(0, 3, (9, 300, 400), "uint16")
    written = []
    for threads in (1, 2, 5):
        (tmp_path / str(threads)).mkdir()
        write_labels(tmp_path / str(threads) / "labels.ome.tif", labels, SPACING, threads)
        written.append((tmp_path / str(threads) / "labels.ome.tif").read_bytes())
    assert written == [written[0]] * 3


def test_different_files_have_different_uuids(tmp_path):
    labels = np.zeros((2, 3, 4), "uint16")
    found = set()
    for name, content in (
        ("a", labels),
        ("b", labels),
        ("a", labels[:1]),
        ("a", labels.astype("uint32")),
    ):
        write_labels(tmp_path / name, content, SPACING)
        with tifffile.TiffFile(tmp_path / name) as tif:
            found.add(tifffile.xml2dict(tif.ome_metadata)["OME"]["UUID"])
    assert len(found) == 4


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_failed_write_changes_nothing(tmp_path, before):
    target = tmp_path / "folder" / "a.tif"
    if before is not None:
        target.parent.mkdir()
        target.write_bytes(before)
    with pytest.raises(RuntimeError, match="half way"), atomic_write(target) as partial:
        assert (partial.parent, partial.suffix) == (target.parent, ".tif")
        partial.write_bytes(b"new but not wh")
        raise RuntimeError("half way")
    assert [path.read_bytes() for path in target.parent.iterdir()] == (
        [] if before is None else [before]
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_stack(path, numbers((2, 3, 4), "uint16"), SPACING),
        lambda path: write_stack(path, numbers((2, 3, 4), "uint32"), SPACING),
        lambda path: write_labels(path, numbers((2, 3, 4), "uint16"), SPACING),
        lambda path: write_json(path, {"a": 1}),
    ],
)
def test_writers_keep_the_old_file_if_the_disk_is_full(tmp_path, monkeypatch, write):
    def fill_up(path, *_, **__):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(tifffile, "imwrite", fill_up)
    monkeypatch.setattr(Path, "write_text", fill_up)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(
        InputError, match=r"a: cannot be written \(no space left\): free disk space"
    ):
        write(tmp_path / "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_files_left_by_a_killed_process_are_removed(tmp_path):
    for name in (".partial.0123abcd.a.tif", ".partial.0123abcd.b.a.tif", ".partial.0123abcd.b.tif"):
        (tmp_path / name).write_bytes(b"half")
    with atomic_write(tmp_path / "a.tif") as partial:
        partial.write_bytes(b"complete")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".partial.0123abcd.b.a.tif",
        ".partial.0123abcd.b.tif",
        "a.tif",
    ]


def test_a_replaced_process_fails_and_does_not_change_the_new_file(tmp_path):
    with (
        pytest.raises(InputError, match="cannot be written"),
        atomic_write(tmp_path / "a.tif") as old,
    ):
        old.write_bytes(b"old")
        with atomic_write(tmp_path / "a.tif") as new:
            assert new != old
            new.write_bytes(b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.tif": b"new"}


def test_an_error_in_reading_another_file_is_raised_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.csv"):
        (tmp_path / "none.csv").read_text()


def test_nan_is_not_written_to_json(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"threshold": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_complete_write_replaces_the_old_file(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with atomic_write(tmp_path / "a") as partial:
        partial.write_bytes(b"new")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_a_complete_folder_replaces_the_old_one_and_a_failed_one_does_not(tmp_path):
    with atomic_folder(tmp_path / "a") as folder:
        (folder / "old").write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "a") as folder:
        (folder / "new").write_bytes(b"new")
        raise RuntimeError
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/old"]
    with atomic_folder(tmp_path / "a") as folder:
        (folder / "new").write_bytes(b"new")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["a", "a/new"]


@pytest.mark.parametrize(("count", "name"), [(0, "uint16"), (65535, "uint16"), (65536, "uint32")])
def test_label_type_is_the_smallest_that_fits(count, name):
    assert np.dtype(label_type(count)) == name


def test_json_round_trip_keeps_order_and_non_ascii_letters(tmp_path):
    content = {"z": 1.5, "a": None, "name": "µm", "list": [1, 2]}
    write_json(tmp_path / "a.json", content)
    assert list(read_json(tmp_path / "a.json").items()) == list(content.items())
    assert "µm" in Path(tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 1), (2, 1, 3)])
def test_a_memory_mapped_stack_has_the_same_values(tmp_path, shape, dtype):
    stack = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    write_stack(tmp_path / "a.tif", stack, (2, 1, 0.5))
    mapped, spacing = read_stack(tmp_path / "a.tif", mapped=True)
    assert isinstance(mapped.base, np.memmap)
    assert (mapped.dtype, spacing) == (stack.dtype, (2, 1, 0.5))
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, stack)
    if dtype.startswith("uint"):
        write_labels(tmp_path / "labels.ome.tif", stack, (2, 1, 0.5))
        np.testing.assert_array_equal(
            read_stack(tmp_path / "labels.ome.tif", mapped=True)[0], stack
        )


def tags_of(path):
    with tifffile.TiffFile(path) as tif:
        tags = {tag.name: tag.value for tag in tif.pages[0].tags.values()}
        return tif.imagej_metadata, tags


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_fiji_shows_the_range_of_the_values(tmp_path, dtype):
    stack = np.arange(3, 123).reshape(4, 5, 6).astype(dtype)
    write_stack(tmp_path / "a.tif", stack, (2.0, 0.5, 0.4))
    imagej, tags = tags_of(tmp_path / "a.tif")
    assert (imagej["min"], imagej["max"]) == (3, 122)
    assert (imagej["spacing"], imagej["unit"]) == (2.0, "um")
    x, y = (np.divide(*tags[name]) for name in ("XResolution", "YResolution"))
    assert (1 / x, 1 / y) == pytest.approx((0.4, 0.5))
    write_stack(tmp_path / "b.tif", stack, (2.0, 0.5, 0.4), display=(0, 1))
    assert (tags_of(tmp_path / "b.tif")[0]["min"], tags_of(tmp_path / "b.tif")[0]["max"]) == (0, 1)


def test_fiji_shows_labels_in_colors(tmp_path):
    labels = np.arange(300, dtype=np.uint16).reshape(3, 10, 10) + 1
    write_stack(tmp_path / "a.tif", labels, (2.0, 0.5, 0.4), is_labels=True)
    imagej, _ = tags_of(tmp_path / "a.tif")
    assert (imagej["min"], imagej["max"], imagej["mode"]) == (0, 300, "color")
    table = np.squeeze(imagej["LUTs"])
    assert table.shape == (3, 256)
    assert not table[:, 0].any()
    assert len(np.unique(table, axis=1).T) > 250
    stack, spacing = read_stack(tmp_path / "a.tif", mapped=True)
    np.testing.assert_array_equal(stack, labels)
    assert spacing == (2.0, 0.5, 0.4)


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_stack_without_a_range_is_written(tmp_path, value):
    write_stack(tmp_path / "a.tif", np.full((2, 3, 4), value, np.float32), (1.0, 1.0, 1.0))
    assert "min" not in tags_of(tmp_path / "a.tif")[0]


def test_ome_files_have_the_pixel_size_in_their_tags_too(tmp_path):
    labels = np.ones((2, 3, 4), np.uint16)
    write_labels(tmp_path / "a.ome.tif", labels, (2.0, 0.5, 0.4))
    write_stack(tmp_path / "b.tif", labels.astype(np.uint32), (2.0, 0.5, 0.4))
    for name in ("a.ome.tif", "b.tif"):
        _, tags = tags_of(tmp_path / name)
        x, y = (np.divide(*tags[name]) for name in ("XResolution", "YResolution"))
        assert tags["ResolutionUnit"] == 3  # per cm
        assert (1e4 / x, 1e4 / y) == pytest.approx((0.4, 0.5))
        assert read_stack(tmp_path / name)[1] == (2.0, 0.5, 0.4)


PARTS = [
    np.s_[3],
    np.s_[-1, 2:9],
    np.s_[1:4, 5:30, 7:44],
    np.s_[:, ::3, 40],
    np.s_[::2, 31::-4, ::-1],
    np.s_[::-2, :0, 3:1000],
]


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_parts_of_files_are_those_of_the_stack(tmp_path, monkeypatch, write, dtype, is_large, part):
    monkeypatch.setattr(mapped, "MAX_MAPPED", 1)  # map the file again for each plane
    monkeypatch.setattr(stacks, "TILE", 16)
    if is_large:
        monkeypatch.setattr(stacks, "LARGE_BYTES", 0)
    stack = numbers((5, 32, 45), dtype)
    write(tmp_path / "a.tif", stack, SPACING)
    opened, spacing = open_stack(tmp_path / "a.tif")
    assert (opened.shape, opened.dtype, opened.size) == (stack.shape, stack.dtype, stack.size)
    assert spacing == SPACING
    assert np.array_equal(opened[part], stack[part])
    assert opened[part].flags.writeable
    assert np.array_equal(read_stack(tmp_path / "a.tif")[0], stack)


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_planes_are_written_like_the_stack(tmp_path, monkeypatch, write, dtype, is_large):
    monkeypatch.setattr(stacks, "TILE", 16)
    if is_large:
        monkeypatch.setattr(stacks, "LARGE_BYTES", 0)
    stack = numbers((3, 20, 33), dtype)
    for name, written in (
        ("a", stack),
        ("b", ComputedPlanes(stack.shape, dtype, lambda z: stack[z])),
    ):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "same.tif", written, SPACING)
    same = [(tmp_path / name / "same.tif").read_bytes() for name in "ab"]
    assert same[0] == same[1]
    with tifffile.TiffFile(tmp_path / "a/same.tif") as tif:
        assert tif.is_bigtiff == is_large


def test_large_planes_of_labels_are_tiled(tmp_path):
    write_labels(tmp_path / "a.tif", np.ones((2, 3, 513), np.uint16), SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert (tif.pages[0].tilelength, tif.pages[0].tilewidth) == (512, 512)


def test_scratch_stacks_are_read_as_written(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MAX_MAPPED", 1)
    stack = numbers((3, 4, 5), "uint16")
    with scratch_stacks(tmp_path) as allocate:
        first, second = allocate(stack.shape, stack.dtype), allocate((1, 1, 2), np.float32)
        for z in (2, 0, 1):
            first[z] = stack[z]
        second[0] = np.array([[2.5, np.nan]])
        assert np.array_equal(first[:, 1:, ::2], stack[:, 1:, ::2])
        assert np.array_equal(second[0], [[2.5, np.nan]], equal_nan=True)
    assert not list(tmp_path.iterdir())
