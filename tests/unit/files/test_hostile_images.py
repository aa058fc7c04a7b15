"""Malicious and damaged images are refused in one line, quickly, with little memory."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hostile import run, write_pages

from cellstack.errors import InputError
from cellstack.files.readers import opening

SIDE = 16384


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
