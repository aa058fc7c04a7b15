"""Malicious, damaged and mutated images are refused in one line, quickly, with little memory."""

import json
import os
import struct
import time
import zlib

import numpy as np
import pytest
import tifffile

import import_stack
from cellstack.errors import InputError
from cellstack.files.readers import opening
from cellstack.prepare import import_stack as steps

UM = {"z_um": 1.0, "y_um": 0.5, "x_um": 0.5}
MAX_SECONDS = 20  # an idle machine needs a hundredth of it
SIDE = 16384


def run(folder, image):
    """Import an image, and return the error message, or an empty text."""
    start = time.monotonic()
    try:
        import_stack.main(
            image=[image],
            raw=folder / "out" / "raw.tif",
            record=folder / "out" / "import.json",
            channel="nuclei",
            **UM,
        )
    except InputError as error:
        message = str(error)
        assert message
        assert "\n" not in message
        assert not (folder / "out").exists() or not list((folder / "out").iterdir())
    else:
        message = ""
    assert time.monotonic() - start < MAX_SECONDS
    return message


def write_pages(path, pages, side, strip, compression=8, after_last=0):
    """Write a BigTIFF of uint8 whose pages all refer to the same strip.

    With `after_last` 1 the last page names the first one as the next.
    """
    body = bytearray(strip) + bytes(-len(strip) % 8)
    first = 16 + len(body)
    tags = {
        256: side,
        257: side,
        258: 8,
        259: compression,
        262: 1,
        273: 16,
        277: 1,
        278: side,
        279: len(strip),
    }
    size = 8 + len(tags) * 20 + 8
    content = bytearray(struct.pack("<2sHHHQ", b"II", 43, 8, 0, first)) + body
    for page in range(pages):
        entries = b"".join(struct.pack("<HHQQ", code, 16, 1, value) for code, value in tags.items())
        following = first + (page + 1) * size if page < pages - 1 else first * after_last
        content += struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", following)
    path.write_bytes(content)


def zeros(count):
    """Return compressed zeros."""
    compressor, block = zlib.compressobj(1), bytes(1 << 20)
    return b"".join(compressor.compress(block) for _ in range(count >> 20)) + compressor.flush()


@pytest.mark.slow
def test_a_decompression_bomb(tmp_path):
    write_pages(tmp_path / "a.tif", 10_000, SIDE, zeros(SIDE**2))
    assert (tmp_path / "a.tif").stat().st_size < 5e6
    assert "a.tif: a stack of (10000, 16384, 16384) voxels takes" in run(
        tmp_path, tmp_path / "a.tif"
    )


def test_required_memory_includes_the_stack_and_the_stages_after_downsampling():
    steps.check_memory("a", (10, 100, 100), 2, (1, 1, 1), memory=1_200_000)
    with pytest.raises(InputError, match="takes 0 GB"):
        steps.check_memory("a", (10, 100, 100), 2, (1, 1, 1), memory=1_199_999)
    steps.check_memory("a", (10, 100, 100), 2, (1, 2, 2), memory=450_000)


def test_a_tiff_that_declares_more_than_it_contains(tmp_path):
    write_pages(tmp_path / "a.tif", 3, 10**6, b"x" * 100)
    assert "a.tif: a stack of (3, 1000000, 1000000) voxels takes" in run(
        tmp_path, tmp_path / "a.tif"
    )
    write_pages(tmp_path / "a.tif", 3, 10**6, b"x" * 100, compression=1)
    assert "is damaged or incomplete" in run(tmp_path, tmp_path / "a.tif")


def test_a_cycle_of_pages(tmp_path):
    write_pages(tmp_path / "a.tif", 5, 8, bytes(64), compression=1, after_last=1)
    assert "a.tif: is damaged or incomplete" in run(tmp_path, tmp_path / "a.tif")


@pytest.mark.slow
def test_ten_thousand_tiny_pages(tmp_path):
    write_pages(tmp_path / "a.tif", 10_000, 1, b"\5", compression=1)
    assert run(tmp_path, tmp_path / "a.tif") == ""


def test_a_png_that_declares_more_pixels_than_a_plane_has(tmp_path):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 10**6, 10**6, 8, 0, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(content)
    assert "a.png: declares 1,000,000,000,000 pixels" in run(tmp_path, tmp_path / "a.png")


@pytest.mark.parametrize(
    ("path", "shape"),
    [("../secret.zarr/0", None), ("/secret.zarr/0", None), (5, None), ("0", [10**6] * 3)],
)
def test_a_zarr_that_refers_to_another_folder_or_declares_too_much(tmp_path, path, shape):
    folder = tmp_path / "a.zarr"
    for name in ("a.zarr", "secret.zarr"):
        array = {
            "zarr_format": 2,
            "chunks": [4, 8, 8],
            "dtype": "<u2",
            "compressor": None,
            "fill_value": 7,
            "order": "C",
            "filters": None,
        }
        (tmp_path / name / "0").mkdir(parents=True)
        (tmp_path / name / "0" / ".zarray").write_text(
            json.dumps(array | {"shape": shape or [4, 8, 8]})
        )
        (tmp_path / name / ".zgroup").write_text('{"zarr_format": 2}')
    path = str(tmp_path) + path if str(path).startswith("/") else path
    datasets = [
        {"path": path, "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}
    ]
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    (folder / ".zattrs").write_text(
        json.dumps({"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]})
    )
    assert "a.zarr: " in run(tmp_path, folder)


def test_a_set_of_files_that_refers_to_another_folder(tmp_path):
    (tmp_path / "in").mkdir()
    plane = np.ones((5, 6), np.uint16)
    part = (
        '<TiffData FirstZ="{0}" IFD="0" PlaneCount="1">'
        '<UUID FileName="{1}">urn:uuid:{0}</UUID></TiffData>'
    )
    pixels = (
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
        'SizeX="6" SizeY="5" SizeZ="2" SizeC="1" SizeT="1">'
        f'<Channel ID="Channel:0:0"/>{part.format(0, "a.tif")}{part.format(1, "../b.tif")}</Pixels>'
    )
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    text = (
        f'<?xml version="1.0"?><OME xmlns="{schema}" UUID="urn:uuid:0">'
        f'<Image ID="Image:0">{pixels}</Image></OME>'
    )
    tifffile.imwrite(tmp_path / "in" / "a.tif", plane, description=text, metadata=None)
    tifffile.imwrite(
        tmp_path / "b.tif",
        plane,
        description=text.replace("urn:uuid:0", "urn:uuid:1", 1),
        metadata=None,
    )
    message = run(tmp_path, tmp_path / "in" / "a.tif")
    assert "a.tif: is a set with a file in another folder" in message


def test_an_image_that_is_replaced_while_it_is_read(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((4, 5, 6), np.uint8), photometric="minisblack")
    with (
        pytest.raises(InputError, match=r"a\.tif: was changed while it was read"),
        opening.open_image([path]),
    ):
        tifffile.imwrite(tmp_path / "b.tif", np.ones((4, 5, 6), np.uint8), photometric="minisblack")
        (tmp_path / "b.tif").replace(path)


ENCODINGS = {
    "plain": {},
    "bigtiff": {"bigtiff": True},
    "zlib": {"compression": "zlib", "predictor": True},
    "lzw": {"compression": "lzw"},
    "zstd": {"compression": "zstd"},
    "tiles": {"tile": (16, 16), "compression": "zlib"},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 0.5, "unit": "um"}},
    "ome": {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 1.0}},
}


def mutated(content, rng):
    """Truncate a file, change bytes anywhere or in its header, or replace or remove a few bytes."""
    content = bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        return content[: rng.integers(len(content))]
    if kind == 3:
        start, length = rng.integers(len(content)), rng.integers(1, 64)
        content[start : start + length] = rng.bytes(length) if rng.random() < 0.5 else b""
        return content
    reach = len(content) if kind == 1 else min(len(content), 400)
    for _ in range(rng.integers(1, 20)):
        content[rng.integers(reach)] = rng.integers(256)
    return content


def fuzz(folder, seed, count):
    """Import mutated TIFFs, and return the number of those that are refused."""
    rng = np.random.default_rng(seed)
    stack = rng.integers(0, 2000, (5, 24, 31)).astype(np.uint16)
    valid = []
    for name, options in ENCODINGS.items():
        tifffile.imwrite(folder / f"{name}.tif", stack, **options)
        valid.append((folder / f"{name}.tif").read_bytes())
    refused = 0
    for _ in range(count):
        (folder / "a.tif").write_bytes(mutated(valid[rng.integers(len(valid))], rng))
        refused += run(folder, folder / "a.tif") != ""
        for path in (folder / "out").glob("*"):
            path.unlink()
    return refused


@pytest.mark.slow
def test_mutated_tiffs(tmp_path):
    count = int(os.environ.get("CELLSTACK_FUZZ", "500"))  # set it for a longer run
    # fewer: the mutations are too small; more: they only destroy headers
    assert 0.2 < fuzz(tmp_path, 6, count) / count < 0.96
