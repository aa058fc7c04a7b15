"""Decoders get no more memory than an image of its size needs."""

import os
import subprocess
import sys
import threading

import imagecodecs
import numpy as np
import pytest
import tifffile
from hostile import write_pages
from reading import pattern

from cellstack.files.readers import limits, opening
from cellstack.files.readers.limits import limited_memory, memory_to_read
from cellstack.prepare.import_stack import fill_stack

pytestmark = pytest.mark.skipif(
    not limits.STATM.exists(), reason="the address space is limited on Linux only"
)
SIDE = 9000  # 81 MB, more than the limit of these tests
IMPORT_WITHIN_64_MB = """
import sys
from pathlib import Path

from cellstack.files.readers import limits
from hostile import run

limits.HEADER_BYTES = 2**26
print(run(Path(sys.argv[1]), Path(sys.argv[1], "a.tif")))
"""
STRIPS = {
    "png": (34933, lambda zeros: imagecodecs.png_encode(zeros, level=1)),
    "webp": (50001, lambda zeros: imagecodecs.webp_encode(zeros[:, :, None].repeat(3, 2))),
    "lerc": (34887, imagecodecs.lerc_encode),
    "deflate": (8, lambda zeros: imagecodecs.zlib_encode(zeros, level=1)),
    "lzw": (5, imagecodecs.lzw_encode),
    "zstd": (50000, imagecodecs.zstd_encode),
}


def address_space():
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)


def test_memory_is_limited_within_the_body_only():
    before = address_space()
    with limited_memory(2**26):
        np.ones(2**24, np.uint8)
        with pytest.raises(MemoryError):
            np.ones(2**27, np.uint8)
        assert address_space() != before
    assert address_space() == before
    assert np.ones(2**27, np.uint8).nbytes == 2**27


def test_a_limit_within_a_limit_is_not_larger():
    with limited_memory(2**26), limited_memory(2**30), pytest.raises(MemoryError):
        np.ones(2**27, np.uint8)


def test_the_limit_ends_with_an_error():
    before = address_space()
    with pytest.raises(KeyError), limited_memory(2**26):
        raise KeyError
    assert address_space() == before


def test_threads_can_start_within_the_limit():
    found = []
    with limited_memory(limits.HEADER_BYTES):
        threads = [threading.Thread(target=found.append, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(8))


@pytest.mark.slow
@pytest.mark.parametrize("codec", STRIPS)
def test_a_strip_that_holds_more_than_its_page_declares(tmp_path, codec):
    compression, encode = STRIPS[codec]
    zeros = np.zeros((SIDE, SIDE) if codec != "webp" else (6000, 6000), np.uint8)
    strip = bytes(encode(zeros))
    del zeros
    write_pages(tmp_path / "a.tif", 1, 8, strip, compression=compression)
    # in a new process, which has no memory that earlier tests have freed
    process = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHIN_64_MB, tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    message = process.stdout.strip()
    assert message == "" or message.startswith(f"{tmp_path}/a.tif: ")
    if codec in ("png", "webp", "lerc"):  # the other decoders stop at the size of the page
        assert "needs more memory than an image of its size should" in message


@pytest.mark.parametrize("shape", [(5, 700, 900), (64, 300, 200)])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"imagej": True, "metadata": {"axes": "ZYX"}}]
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_valid_stack_is_read_within_its_limit(tmp_path, monkeypatch, shape, options, dtype):
    monkeypatch.setattr(limits, "HEADER_BYTES", 2**22)
    stack = pattern(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", **options)
    with opening.open_image([tmp_path / "a.tif"]) as source, limited_memory(memory_to_read(source)):
        found = fill_stack("a", source.planes(0), shape, source.dtype)
    np.testing.assert_array_equal(found, stack)
