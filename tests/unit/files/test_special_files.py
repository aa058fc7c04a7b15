"""Images that are no regular files: pipes, sockets, devices, links that lead nowhere or elsewhere.

Reading a pipe would wait for ever, so a test that fails here may need to be stopped.
"""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hostile import run
from reading import count_voxels, pattern

import import_labels
from cellstack.errors import InputError
from cellstack.files.readers import opening
from cellstack.files.stacks import write_stack

NOT_A_FILE = "is a pipe, a socket or a device: copy the image to a file, and name that"


def write_planes(folder, count=3):
    folder.mkdir()
    for number in range(count):
        tifffile.imwrite(folder / f"p{number}.tif", pattern((5, 6)))
    return folder


@pytest.fixture
def short():
    """A folder with a short path, as addresses of sockets must be."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


def test_a_pipe_as_image_is_refused(tmp_path):
    for name in ("a.tif", "a.png", "a"):
        os.mkfifo(tmp_path / name)
        assert run(tmp_path, tmp_path / name) == f"{tmp_path / name}: {NOT_A_FILE}"
        assert count_voxels(tmp_path / name) == 0


def test_a_pipe_as_labels_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    write_stack(tmp_path / "raw.tif", np.zeros((2, 3, 4), np.uint8), (1, 0.5, 0.25))
    with pytest.raises(InputError, match=NOT_A_FILE):
        import_labels.main(
            image=[tmp_path / "a.tif"],
            raw=tmp_path / "raw.tif",
            labels=tmp_path / "labels.tif",
            downsample=[1, 1, 1],
        )


def test_a_socket_as_image_is_refused(tmp_path, short):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short / "a.tif"))
        assert run(tmp_path, short / "a.tif").endswith(NOT_A_FILE)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
def test_a_device_as_image_is_refused(tmp_path, device):
    assert run(tmp_path, Path(device)) == f"{device}: {NOT_A_FILE}"
    (tmp_path / "a.tif").symlink_to(device)
    assert run(tmp_path, tmp_path / "a.tif").endswith(NOT_A_FILE)


@pytest.mark.parametrize("pattern", ["", "*.tif"])
def test_a_pipe_among_planes_is_refused(tmp_path, pattern):
    folder = write_planes(tmp_path / "planes")
    assert run(tmp_path, folder / pattern) == ""
    (folder / "p1.tif").unlink()
    os.mkfifo(folder / "p1.tif")
    assert run(tmp_path, folder / pattern) == f"{folder}/p1.tif: {NOT_A_FILE}"


def test_a_pipe_among_files_is_refused(tmp_path):
    folder = write_planes(tmp_path / "planes", 1)
    os.mkfifo(folder / "p1.tif")
    message = run(tmp_path, folder / "p0.tif", folder / "p1.tif")
    assert message == f"{folder}/p1.tif: {NOT_A_FILE}"


def test_links_that_lead_nowhere_are_refused(tmp_path):
    (tmp_path / "self.tif").symlink_to("self.tif")
    (tmp_path / "one.tif").symlink_to("two.tif")
    (tmp_path / "two.tif").symlink_to("one.tif")
    (tmp_path / "gone.tif").symlink_to("missing.tif")
    for name in ("self", "one", "gone"):
        assert "there is no such file" in run(tmp_path, tmp_path / f"{name}.tif")


def test_folders_that_contain_themselves_are_refused(tmp_path):
    folder = tmp_path / "loop"
    folder.mkdir()
    (folder / "inside").symlink_to(folder)
    (folder / "parent").symlink_to(tmp_path)
    assert "the folder contains no plane" in run(tmp_path, folder)
    (folder / "p0.tif").symlink_to(folder)
    assert run(tmp_path, folder).startswith(f"{folder}/p0.tif: ")
    (folder / ".zgroup").symlink_to(folder)
    assert run(tmp_path, folder).startswith(f"{folder}: ")


@pytest.mark.parametrize("number", [0, 2])
def test_a_link_to_a_plane_outside_its_folder_is_refused(tmp_path, number):
    folder = write_planes(tmp_path / "planes")
    (folder / f"p{number}.tif").rename(tmp_path / "outside.tif")
    (folder / f"p{number}.tif").symlink_to(tmp_path / "outside.tif")
    message = run(tmp_path, folder)
    assert f"{folder}/p{number}.tif: is a link to a file outside its folder" in message
    assert run(tmp_path, folder / "*.tif") == ""  # what the message advises


def test_links_within_a_folder_and_to_a_folder_are_read(tmp_path):
    folder = write_planes(tmp_path / "planes")
    (folder / "p2.tif").rename(folder / "stored")
    (folder / "p2.tif").symlink_to("stored")
    (tmp_path / "linked").symlink_to(folder)
    assert run(tmp_path, folder) == ""
    assert run(tmp_path, tmp_path / "linked") == ""


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    folder = write_planes(tmp_path / "planes")

    def fail(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", fail)  # root may read every folder
    with pytest.raises(InputError) as error:
        opening.open_image([folder]).__enter__()
    expected = "the folder cannot be read (Permission denied): change its permissions"
    assert str(error.value) == f"{folder}: {expected}"


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", pattern((5, 6)))

    def fail(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "a.tif"))

    monkeypatch.setattr(opening, "_identities", fail)
    assert run(tmp_path, tmp_path / "a.tif").startswith(
        f"{tmp_path}/a.tif: cannot be read as an image ([Errno 13] Permission denied"
    )


@pytest.mark.parametrize("change", ["inode", "size", "time"])
def test_an_image_that_changes_while_it_is_read_is_noticed(tmp_path, change):
    path, other = tmp_path / "a.tif", tmp_path / "b.tif"
    for each in (path, other):
        tifffile.imwrite(each, pattern((4, 5, 6)), photometric="minisblack")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    before = path.stat()
    with (
        pytest.raises(InputError, match=r"a\.tif: was changed while it was read"),
        opening.open_image([path]),
    ):
        if change == "inode":  # another file of the same size and time
            other.replace(path)
        elif change == "size":
            with path.open("ab") as file:
                file.write(b"x")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        else:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
    after = path.stat()
    assert (after.st_size == before.st_size) == (change != "size")
    assert (after.st_mtime_ns == before.st_mtime_ns) == (change != "time")


def test_an_image_that_is_removed_while_it_is_read_is_noticed(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pattern((4, 5, 6)), photometric="minisblack")
    with (
        pytest.raises(InputError, match="was changed while it was read"),
        opening.open_image([tmp_path / "a.tif"]),
    ):
        (tmp_path / "a.tif").unlink()
