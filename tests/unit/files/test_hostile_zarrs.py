"""OME-Zarrs that lead outside their folder, declare too much, or expand to too much."""

import gzip
import json
import os
import time

import imagecodecs
import numpy as np
import pytest
from hostile import run
from reading import pattern

from cellstack.files.readers import limits

SHAPE = (4, 8, 8)
METADATA = {2: "0/.zarray", 3: "0/zarr.json"}
CHUNK = {2: "0/0.0.0", 3: "0/c/0/0/0"}
OUTSIDE = "leads to a file outside the Zarr"


def write_zarr(folder, version=2, *, path="0", **changes):
    """Write an OME-Zarr of one uncompressed chunk; `changes` are made to the array's metadata."""
    stack = pattern(SHAPE)
    chunk = folder / CHUNK[version]
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(stack.tobytes())
    attributes = image_attributes(path)
    if version == 2:
        array = {
            "zarr_format": 2,
            "shape": SHAPE,
            "chunks": SHAPE,
            "dtype": "<u2",
            "compressor": None,
            "fill_value": 0,
            "order": "C",
            "filters": None,
        }
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps(attributes))
    else:
        array = {
            "zarr_format": 3,
            "node_type": "array",
            "shape": SHAPE,
            "data_type": "uint16",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": SHAPE}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "attributes": {},
        }
        group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": attributes}}
        (folder / "zarr.json").write_text(json.dumps(group))
    (folder / METADATA[version]).write_text(json.dumps(array | changes))
    return folder


def image_attributes(path):
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.5]}
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    datasets = [{"path": path, "coordinateTransformations": [scale]}]
    return {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}


@pytest.mark.parametrize("version", [2, 3])
def test_the_zarr_of_these_tests_is_read(tmp_path, version):
    assert run(tmp_path, write_zarr(tmp_path / "a.zarr", version)) == ""


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("path", ["../secret.zarr/0", "/secret.zarr/0", 5, "1"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path, version, path):
    write_zarr(tmp_path / "secret.zarr", version)
    if str(path).startswith("/"):
        path = f"{tmp_path}{path}"
    message = run(tmp_path, write_zarr(tmp_path / "a.zarr", version, path=path))
    assert message.startswith(f"{tmp_path}/a.zarr: cannot be read as an image")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("part", ["array", "metadata", "chunk", "group", "folder of chunks"])
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_that_leads_outside_is_refused(tmp_path, version, part, relative):
    folder = write_zarr(tmp_path / "a.zarr", version)
    write_zarr(tmp_path / "secret.zarr", version)
    name = {
        "array": "0",
        "metadata": METADATA[version],
        "chunk": CHUNK[version],
        "group": {2: ".zgroup", 3: "zarr.json"}[version],
        "folder of chunks": {2: "0", 3: "0/c"}[version],
    }[part]
    (folder / name).rename(tmp_path / "moved")
    target = tmp_path / "secret.zarr" / name
    if relative:
        target = os.path.relpath(target, (folder / name).parent)
    (folder / name).symlink_to(target)
    message = run(tmp_path, folder)
    assert OUTSIDE in message
    assert f"{folder}/" in message


def test_a_link_within_the_zarr_and_a_link_to_the_zarr_are_read(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / "0").rename(folder / "elsewhere")
    (folder / "0").symlink_to("elsewhere")
    (tmp_path / "b.zarr").symlink_to(folder)
    assert run(tmp_path, folder) == ""
    assert run(tmp_path, tmp_path / "b.zarr") == ""


@pytest.mark.parametrize("part", [".zattrs", "0/.zarray", "0/0.0.0"])
def test_a_pipe_in_a_zarr_is_refused(tmp_path, part):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / part).unlink()
    os.mkfifo(folder / part)
    assert "is a pipe, a socket or a device" in run(tmp_path, folder)


def test_a_zarr_whose_links_form_a_loop_is_refused(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / "0" / "0.0.0").unlink()
    (folder / "0" / "0.0.0").symlink_to("0.0.0")
    assert run(tmp_path, folder).startswith(f"{folder}: cannot be read as an image")


@pytest.mark.parametrize("version", [2, 3])
def test_a_shape_beyond_the_memory_is_refused(tmp_path, version):
    message = run(tmp_path, write_zarr(tmp_path / "a.zarr", version, shape=[10**6] * 3))
    assert "a stack of (1000000, 1000000, 1000000) voxels takes" in message


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_beyond_any_size_are_refused(tmp_path, version):
    chunks = [10**4] * 3
    grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    changes = {"chunks": chunks} if version == 2 else {"chunk_grid": grid}
    message = run(tmp_path, write_zarr(tmp_path / "a.zarr", version, **changes))
    assert "write it with smaller chunks" in message


def test_metadata_beyond_any_size_are_refused(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    with (folder / ".zattrs").open("a") as file:
        file.truncate(2**25)
    assert "more than the metadata of an image" in run(tmp_path, folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "", "null", "[]", "1e999"])
@pytest.mark.parametrize("part", [".zattrs", "0/.zarray"])
def test_metadata_that_are_no_metadata_are_refused(tmp_path, text, part):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / part).write_text(text)
    assert run(tmp_path, folder).startswith(f"{folder}: ")


def test_many_groups_are_named_in_one_line(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / ".zattrs").unlink()
    for number in range(100):
        group = folder / f"group{number:03d}{'x' * 100}"
        group.mkdir()
        (group / ".zgroup").write_text('{"zarr_format": 2}')
    assert "is a Zarr without an OME-Zarr image, it contains group000" in run(tmp_path, folder)


BOMBS = {
    "gzip": (lambda content: gzip.compress(content, 1), {"id": "gzip", "level": 1}),
    "zlib": (imagecodecs.zlib_encode, {"id": "zlib", "level": 1}),
    "zstd": (imagecodecs.zstd_encode, {"id": "zstd", "level": 1}),
    "blosc": (
        lambda content: imagecodecs.blosc_encode(content, level=1),
        {"id": "blosc", "cname": "lz4", "clevel": 1, "shuffle": 1, "blocksize": 0},
    ),
    "lz4": (lambda content: imagecodecs.lz4_encode(content, header=True), {"id": "lz4"}),
}


@pytest.mark.skipif(not limits.STATM.exists(), reason="the address space is limited on Linux only")
@pytest.mark.parametrize("codec", BOMBS)
def test_a_chunk_that_expands_to_too_much_is_refused(tmp_path, codec, monkeypatch):
    monkeypatch.setattr(limits, "HEADER_BYTES", 2**26)
    encode, compressor = BOMBS[codec]
    folder = write_zarr(tmp_path / "a.zarr", compressor=compressor)
    (folder / CHUNK[2]).write_bytes(encode(pattern(SHAPE).tobytes()))
    assert run(tmp_path, folder) == ""
    (folder / CHUNK[2]).write_bytes(encode(bytes(2**27)))
    assert (folder / CHUNK[2]).stat().st_size < 2**20
    assert run(tmp_path, folder).startswith(f"{folder}: ")


def test_a_fill_value_stands_for_missing_chunks(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr", fill_value=7, shape=(2 * SHAPE[0], *SHAPE[1:]))
    assert run(tmp_path, folder) == ""
    (folder / CHUNK[2]).unlink()
    assert "2 of 2 chunks are absent, more than 50%" in run(tmp_path, folder)


def test_pixels_are_compared_with_those_stored(tmp_path):
    from cellstack.files.stacks import read_stack
    from import_stack import main

    folder = write_zarr(tmp_path / "a.zarr", 3)
    main(image=[folder], raw=tmp_path / "raw.tif", record=tmp_path / "a.json", channel="nuclei")
    np.testing.assert_array_equal(read_stack(tmp_path / "raw.tif")[0], pattern(SHAPE))


@pytest.mark.parametrize(
    ("version", "changes"),
    [
        (2, {"chunks": (4, 0, 8)}),
        (3, {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": (4, 0, 8)}}}),
    ],
)
def test_chunks_without_voxels_are_refused(tmp_path, version, changes):
    folder = write_zarr(tmp_path / "a.zarr", version, **changes)
    assert "has chunks of length 0: export it again" in run(tmp_path, folder)


def test_very_many_absent_chunks_are_refused_at_once(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr", 2, shape=(1000, 1000, 1000), chunks=(1, 1, 1))
    for loop in ("7", "8"):  # links that form loops
        (folder / "0" / loop).symlink_to(".")
    start = time.monotonic()
    message = run(tmp_path, folder)
    assert "999999999 of 1000000000 chunks are absent" in message
    assert time.monotonic() - start < 10
