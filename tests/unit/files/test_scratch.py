"""Temporary files on a disk that is full."""

import errno
import os

import numpy as np
import pytest

from cellstack.errors import InputError
from cellstack.files.scratch import scratch_file, scratch_stacks

FULL = r"a: cannot be written \(No space left on device\): free disk space"


def fail(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("reserves", [True, False])
def test_the_space_of_a_scratch_file_is_reserved(tmp_path, monkeypatch, reserves):
    if not reserves:  # as on macOS
        monkeypatch.delattr(os, "posix_fallocate")
    size = 2**20 + 5
    with scratch_file(tmp_path / "new" / "a", size) as file:
        stat = os.fstat(file.fileno())
        assert stat.st_size == size
        assert stat.st_blocks * 512 >= size  # not sparse
        file.seek(0)
        assert file.read() == bytes(size)
    assert not list((tmp_path / "new" / "a").iterdir())


def test_allocating_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", fail)
    with scratch_stacks(tmp_path / "a") as allocate, pytest.raises(InputError, match=FULL):
        allocate((2, 3, 4), np.uint16)


def test_writing_a_plane_to_a_full_disk(tmp_path, monkeypatch):
    with scratch_stacks(tmp_path / "a") as allocate:
        stack = allocate((2, 3, 4), np.uint16)
        monkeypatch.setattr(os, "pwrite", fail)  # reserved space is not guaranteed with snapshots
        with pytest.raises(InputError, match=FULL):
            stack[0] = np.ones((3, 4))


def test_planes_that_are_written_in_pieces(tmp_path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: write(file, data[:5], at))
    values = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    with scratch_stacks(tmp_path) as allocate:
        stack = allocate(values.shape, values.dtype)
        for z in (1, 0):
            stack[z] = values[z]
        assert np.array_equal(stack[:], values)


def test_boxes_and_slabs_are_written(tmp_path):
    rng = np.random.default_rng(0)
    with scratch_stacks(tmp_path) as allocate:
        stack, expected = allocate((4, 5, 6), np.int32), np.zeros((4, 5, 6), np.int32)
        stack[:] = 0
        for where in (np.s_[1:3], np.s_[2], np.s_[0:4, 1:3, 2:5], np.s_[-1, 2:, :], np.s_[1, 2, 3]):
            values = rng.integers(0, 99, expected[where].shape)
            stack[where] = expected[where] = values
            assert np.array_equal(stack[:], expected)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with scratch_stacks(tmp_path / "file" / "a") as allocate, pytest.raises(InputError) as error:
        allocate((1, 1, 1), np.uint8)
    assert "a: cannot be written (Not a directory)" in str(error.value)
