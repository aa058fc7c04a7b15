import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from cellstack import io, whole_files
from cellstack.errors import InputError

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 6, 7), (7, 1, 1), (3, 4, 5), (2, 3, 4), (4, 17, 31)]
SPACING = (1 / 3, 0.26, 0.1 + 0.2)  # none is a short decimal
WRITERS = [
    *[(io.write_stack, name) for name in ("uint8", "uint16", "uint32", "float32", "float64")],
    *[(io.write_labels, name) for name in ("uint16", "uint32")],
]
STEPS = st.floats(1e-4, 1e4)


def numbers(shape, dtype):
    """Values that need all bytes of their type, in no order that a transposition would keep."""
    stack = np.random.default_rng(0).permutation(np.linspace(0, 1, int(np.prod(shape)))).reshape(shape)
    return (stack if dtype.startswith("float") else np.round(stack * np.iinfo(dtype).max)).astype(dtype)


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
    found, spacing = io.read_stack(tmp_path / "a.tif")
    assert spacing == SPACING
    assert found.dtype == stack.dtype
    assert np.array_equal(found, stack)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@settings(max_examples=30)
@given(st.tuples(STEPS, STEPS, STEPS))
@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_spacing_is_exact(tmp_path_factory, dtype, spacing):
    path = tmp_path_factory.getbasetemp() / "spacing.tif"
    io.write_stack(path, np.zeros((2, 1, 3), dtype), spacing)
    assert io.read_stack(path)[1] == spacing


@pytest.mark.parametrize(("write", "dtype"), WRITERS)
def test_same_bytes_for_the_same_input(tmp_path, write, dtype):
    stack = numbers((3, 8, 9), dtype)
    for folder in "ab":
        write(tmp_path / folder / "same.tif", stack, SPACING)
    assert (tmp_path / "a" / "same.tif").read_bytes() == (tmp_path / "b" / "same.tif").read_bytes()


@pytest.mark.parametrize("dtype", [name for write, name in WRITERS if write is io.write_stack])
def test_stacks_can_be_memory_mapped(tmp_path, dtype):
    stack = numbers((5, 8, 9), dtype)
    io.write_stack(tmp_path / "a.tif", stack, SPACING)
    mapped = tifffile.memmap(tmp_path / "a.tif", mode="r")
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, stack)


@pytest.mark.parametrize(("dtype", "imagej"), [("uint8", True), ("uint16", True), ("float32", True), ("uint32", False), ("float64", False)])
def test_types_that_imagej_cannot_hold_go_to_ome(tmp_path, dtype, imagej):
    io.write_stack(tmp_path / "a.tif", numbers((2, 3, 4), dtype), SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert (tif.is_imagej, tif.is_ome) == (imagej, not imagej)


def test_stacks_too_large_for_imagej_go_to_ome(tmp_path, monkeypatch):
    stack = numbers((2, 3, 4), "uint8")
    monkeypatch.setattr(io, "IMAGEJ_BYTES", stack.nbytes)
    io.write_stack(tmp_path / "a.tif", stack, SPACING)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_ome
    assert np.array_equal(io.read_stack(tmp_path / "a.tif")[0], stack)


def test_fiji_finds_scale_and_display_range(tmp_path):
    io.write_stack(tmp_path / "a.tif", numbers((2, 3, 4), "uint8"), (2.0, 0.5, 0.25), display=(0, 1))
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        facts = tif.imagej_metadata
        assert (facts["spacing"], facts["unit"], facts["slices"]) == (2.0, "um", 2)
        assert (facts["min"], facts["max"]) == (0, 1)
        tags = tif.pages[0].tags
        assert tags["YResolution"].value == (2, 1)
        assert tags["XResolution"].value == (4, 1)


def test_labels_are_compressed_and_bear_physical_sizes(tmp_path):
    labels = np.zeros((4, 64, 64), "uint16")
    io.write_labels(tmp_path / "labels.ome.tif", labels, (2.0, 0.5, 0.25))
    assert (tmp_path / "labels.ome.tif").stat().st_size < labels.nbytes / 4
    with tifffile.TiffFile(tmp_path / "labels.ome.tif") as tif:
        image = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]
    assert image["Name"] == "labels.ome.tif"
    assert [image["Pixels"][f"PhysicalSize{axis}"] for axis in "ZYX"] == [2.0, 0.5, 0.25]
    assert {image["Pixels"][f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {"µm"}


def test_threads_change_no_byte_of_labels(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (9, 300, 400), "uint16")  # several strips in a plane
    written = []
    for threads in (1, 2, 5):
        (tmp_path / str(threads)).mkdir()
        io.write_labels(tmp_path / str(threads) / "labels.ome.tif", labels, SPACING, threads)
        written.append((tmp_path / str(threads) / "labels.ome.tif").read_bytes())
    assert written == [written[0]] * 3


def test_identity_tells_files_apart(tmp_path):
    labels = np.zeros((2, 3, 4), "uint16")
    found = set()
    for name, content in (("a", labels), ("b", labels), ("a", labels[:1]), ("a", labels.astype("uint32"))):
        io.write_labels(tmp_path / name, content, SPACING)
        with tifffile.TiffFile(tmp_path / name) as tif:
            found.add(tifffile.xml2dict(tif.ome_metadata)["OME"]["UUID"])
    assert len(found) == 4


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_failing_write_leaves_all_as_it_was(tmp_path, before):
    target = tmp_path / "folder" / "a.tif"
    if before is not None:
        target.parent.mkdir()
        target.write_bytes(before)
    with pytest.raises(RuntimeError, match="half way"), whole_files.whole_file(target) as partial:
        assert (partial.parent, partial.suffix) == (target.parent, ".tif")
        partial.write_bytes(b"new but not wh")
        raise RuntimeError("half way")
    assert [path.read_bytes() for path in target.parent.iterdir()] == ([] if before is None else [before])


@pytest.mark.parametrize(
    "write",
    [
        lambda path: io.write_stack(path, numbers((2, 3, 4), "uint16"), SPACING),
        lambda path: io.write_stack(path, numbers((2, 3, 4), "uint32"), SPACING),
        lambda path: io.write_labels(path, numbers((2, 3, 4), "uint16"), SPACING),
        lambda path: whole_files.write_json(path, {"a": 1}),
    ],
)
def test_writers_leave_the_old_file_where_the_disk_is_full(tmp_path, monkeypatch, write):
    def fill_up(path, *_, **__):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(tifffile, "imwrite", fill_up)
    monkeypatch.setattr(Path, "write_text", fill_up)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(InputError, match=r"a: cannot be written \(no space left\): make room on the disk"):
        write(tmp_path / "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_what_a_killed_process_left_is_removed(tmp_path):
    for name in (".partial.0123abcd.a.tif", ".partial.0123abcd.b.a.tif", ".partial.0123abcd.b.tif"):
        (tmp_path / name).write_bytes(b"half")
    with whole_files.whole_file(tmp_path / "a.tif") as partial:
        partial.write_bytes(b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial.0123abcd.b.a.tif", ".partial.0123abcd.b.tif", "a.tif"]


def test_a_process_thought_dead_fails_and_leaves_the_file_of_the_one_that_took_over(tmp_path):
    with pytest.raises(InputError, match="cannot be written"), whole_files.whole_file(tmp_path / "a.tif") as old:
        old.write_bytes(b"old")
        with whole_files.whole_file(tmp_path / "a.tif") as new:
            assert new != old
            new.write_bytes(b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.tif": b"new"}


def test_a_fault_of_a_file_that_is_read_on_the_way_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), whole_files.whole_file(tmp_path / "a.csv"):
        (tmp_path / "none.csv").read_text()


def test_json_has_no_value_that_json_does_not_know(tmp_path):
    with pytest.raises(ValueError):
        whole_files.write_json(tmp_path / "a.json", {"threshold": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_complete_write_replaces_the_old_file(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with whole_files.whole_file(tmp_path / "a") as partial:
        partial.write_bytes(b"new")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


@pytest.mark.parametrize(("count", "name"), [(0, "uint16"), (65535, "uint16"), (65536, "uint32")])
def test_label_type_is_the_smallest_that_fits(count, name):
    assert np.dtype(io.label_type(count)) == name


def test_json_round_trip_keeps_order_and_letters(tmp_path):
    content = {"z": 1.5, "a": None, "name": "µm", "list": [1, 2]}
    whole_files.write_json(tmp_path / "a.json", content)
    assert list(whole_files.read_json(tmp_path / "a.json").items()) == list(content.items())
    assert "µm" in Path(tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 1), (2, 1, 3)])
def test_a_stack_that_is_mapped_is_the_same(tmp_path, shape, dtype):
    stack = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    io.write_stack(tmp_path / "a.tif", stack, (2, 1, 0.5))
    mapped, spacing = io.read_stack(tmp_path / "a.tif", mapped=True)
    assert isinstance(mapped.base, np.memmap)
    assert (mapped.dtype, spacing) == (stack.dtype, (2, 1, 0.5))
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, stack)
    if dtype.startswith("uint"):
        io.write_labels(tmp_path / "labels.ome.tif", stack, (2, 1, 0.5))
        np.testing.assert_array_equal(io.read_stack(tmp_path / "labels.ome.tif", mapped=True)[0], stack)
