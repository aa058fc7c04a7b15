"""Whether files have changed: by size and time, then by content."""

import json
import os

import pytest

from cellstack.files import fingerprints
from cellstack.files.fingerprints import known_stamp, record_path, stamp_of, write_record


@pytest.fixture
def files(tmp_path):
    """Two planes with different contents and times."""
    paths = [tmp_path / "p1.tif", tmp_path / "p2.tif"]
    for number, path in enumerate(paths):
        path.write_bytes(b"plane %d" % number)
        os.utime(path, ns=(0, 1000 + number))
    return paths


@pytest.fixture
def output(tmp_path):
    return tmp_path / "raw.tif"


def set_time(path, time):
    os.utime(path, ns=(0, time))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("time", [1, 10**10])
def test_new_times_alone_keep_the_stamp(files, output, place, time):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    set_time(files[place], time)
    assert stamp_of(files) != stamp
    assert known_stamp(files, output) == stamp


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("time", [1, 10**10])
@pytest.mark.parametrize("content", [b"plane X", b"plane 10"])
def test_new_content_changes_the_stamp(files, output, place, time, content):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    files[place].write_bytes(content)
    set_time(files[place], time)
    assert known_stamp(files, output) not in (stamp, None)


def test_swapped_planes_change_the_stamp(files, output):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, reversed(contents), strict=True):
        path.write_bytes(content)
    assert known_stamp(files, output) != stamp


def test_files_are_read_once_for_new_times(files, output, monkeypatch):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    set_time(files[0], 5)
    assert known_stamp(files, output) == stamp
    monkeypatch.setattr(fingerprints, "content_of", None)  # would fail
    assert known_stamp(files, output) == stamp


def test_a_record_of_new_times_is_kept_when_the_import_runs_again(files, output):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    set_time(files[0], 5)
    write_record(files, output, stamp)
    assert known_stamp(files, output) == stamp


def test_files_that_changed_during_the_import_are_not_recorded(files, output):
    stamp = stamp_of(files)
    files[0].write_bytes(b"longer than before")
    write_record(files, output, stamp)
    assert not record_path(output).exists()


def test_large_files_are_compared_by_time(files, output, monkeypatch):
    monkeypatch.setattr(fingerprints, "MAX_BYTES", 13)  # of 14 bytes
    write_record(files, output, stamp_of(files))
    assert not record_path(output).exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"stamp": 1}', '{"stamp": "a", "same": 3}']
)
def test_a_record_that_is_damaged_does_not_count(files, output, text):
    record_path(output).write_text(text)
    assert known_stamp(files, output) == stamp_of(files)


def test_a_record_of_files_that_are_gone(files, output):
    write_record(files, output, stamp_of(files))
    files[1].unlink()
    assert known_stamp(files, output) == stamp_of(files)


def test_a_folder_is_compared_by_all_that_is_in_it(tmp_path, output):
    folder = tmp_path / "image.zarr"
    (folder / "0").mkdir(parents=True)
    chunk = folder / "0" / "0.0.0"
    chunk.write_bytes(b"chunk")
    stamp = stamp_of([folder])
    write_record([folder], output, stamp)
    set_time(folder, 5)
    assert known_stamp([folder], output) == stamp
    chunk.write_bytes(b"other")
    set_time(folder, 6)
    assert known_stamp([folder], output) != stamp
    chunk.write_bytes(b"chunk")
    set_time(folder, 7)
    assert known_stamp([folder], output) == stamp
    chunk.rename(folder / "0" / "0.0.1")
    set_time(folder, 8)
    assert known_stamp([folder], output) != stamp


def test_a_record_in_a_folder_that_cannot_be_written(files, output, monkeypatch):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    record = json.loads(record_path(output).read_text())

    def fail(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(fingerprints, "atomic_write", fail)
    set_time(files[0], 5)
    assert known_stamp(files, output) == stamp
    assert json.loads(record_path(output).read_text()) == record


def write_zarr(folder):
    for number in range(3):
        chunk = folder / "0" / "c" / str(number) / "0"
        chunk.parent.mkdir(parents=True)
        chunk.write_bytes(b"chunk %d" % number)
    return folder


def repair(chunk):
    chunk.write_bytes(b"repaired")


def lose(chunk):
    chunk.unlink()


def replace(chunk):
    chunk.with_name("new").write_bytes(chunk.read_bytes())
    chunk.with_name("new").rename(chunk)


def add(chunk):
    chunk.with_name("1").write_bytes(b"")


@pytest.mark.parametrize("change", [repair, lose, replace, add])
def test_a_changed_chunk_changes_the_stamp_of_the_folder(tmp_path, change):
    folder = write_zarr(tmp_path / "a.zarr")
    time = folder.stat().st_mtime_ns
    stamp = stamp_of([folder])
    assert stamp_of([folder]) == stamp
    chunk = folder / "0" / "c" / "1" / "0"
    os.utime(chunk, ns=(0, 5))
    stamp = stamp_of([folder])
    change(chunk)
    assert folder.stat().st_mtime_ns == time
    assert stamp_of([folder]) != stamp


def test_the_stamp_of_a_folder_does_not_depend_on_its_path(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / "link").symlink_to(tmp_path)  # not followed
    stamp = stamp_of([folder])
    assert stamp_of([folder.rename(tmp_path / "b.zarr")]) == stamp


def test_a_broken_link_in_a_folder(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr")
    (folder / "link").symlink_to(tmp_path / "none")
    assert stamp_of([folder]) == stamp_of([folder])


@pytest.fixture
def others(tmp_path):
    """The rest of a set: a file and a folder, which were read too."""
    (tmp_path / "companion").write_bytes(b"metadata")
    (tmp_path / "planes").mkdir()
    (tmp_path / "planes" / "p3.tif").write_bytes(b"plane 3")
    return [tmp_path / "companion", tmp_path / "planes"]


@pytest.mark.parametrize("place", ["companion", "planes/p3.tif"])
def test_other_files_that_were_read_count_from_the_first_import_on(files, others, output, place):
    other = output.parent / place
    stamp = known_stamp(files, output)
    write_record(files, output, stamp, others)
    assert known_stamp(files, output) == stamp
    set_time(other, 3)
    assert known_stamp(files, output) == stamp  # the same content
    other.write_bytes(b"changed")
    changed = known_stamp(files, output)
    assert changed not in (stamp, stamp_of(files))
    write_record(files, output, changed, others)  # the import has run again
    assert known_stamp(files, output) == changed
    set_time(other, 4)
    assert known_stamp(files, output) == changed
    other.unlink()
    assert known_stamp(files, output) != changed


def test_other_files_may_be_new_when_the_import_runs_again(files, others, output):
    write_record(files, output, stamp_of(files), others[:1])
    others[0].write_bytes(b"new")
    changed = known_stamp(files, output)
    write_record(files, output, changed, others)
    assert known_stamp(files, output) == changed
    (others[1] / "p3.tif").write_bytes(b"new")
    assert known_stamp(files, output) != changed


def test_other_files_of_large_images_are_compared_by_time(files, others, output, monkeypatch):
    monkeypatch.setattr(fingerprints, "MAX_BYTES", 9)
    stamp = stamp_of(files)
    write_record(files, output, stamp, others)
    assert known_stamp(files, output) == stamp
    set_time(others[0], 3)
    assert known_stamp(files, output) != stamp


def test_other_files_are_found_after_the_study_was_moved(files, others, output, tmp_path):
    stamp = stamp_of(files)
    write_record(files, output, stamp, others)
    tmp_path.rename(tmp_path.with_name("moved"))
    moved = [tmp_path.with_name("moved") / path.name for path in files]
    output = tmp_path.with_name("moved") / output.name
    assert known_stamp(moved, output) == stamp
    (moved[0].parent / "companion").write_bytes(b"changed")
    assert known_stamp(moved, output) != stamp
    tmp_path.with_name("moved").rename(tmp_path)


def test_a_record_without_other_files_is_one_of_an_earlier_version(files, output):
    stamp = stamp_of(files)
    write_record(files, output, stamp)
    record = json.loads(record_path(output).read_text())
    del record["others"]
    record_path(output).write_text(json.dumps(record | {"same": []}))
    assert known_stamp(files, output) == stamp
