import os
import zipfile

import pytest

from cellstack.errors import InputError
from cellstack.publish.zip_file import DATE, Entry, write_zip


def test_the_bytes_depend_only_on_names_and_content(tmp_path):
    archives = []
    for time in (1e9, 2e9):
        file = tmp_path / "file.txt"
        file.write_text("text" * 1000)
        file.chmod(0o600 if time > 1e9 else 0o755)
        os.utime(file, (time, time))
        entries = [Entry("b/file.txt", file), Entry("a.png", b"png"), Entry("c", b"")]
        archives.append(tmp_path / f"{time}.zip")
        write_zip(archives[-1], entries if time > 1e9 else entries[::-1])
    first, second = (path.read_bytes() for path in archives)
    assert first == second
    with zipfile.ZipFile(archives[0]) as archive:
        assert archive.namelist() == ["a.png", "b/file.txt", "c"]
        assert archive.read("b/file.txt") == b"text" * 1000
        infos = archive.infolist()
    assert {info.date_time for info in infos} == {DATE}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert infos[0].compress_size == infos[0].file_size  # a PNG is compressed already
    assert infos[1].compress_size < infos[1].file_size / 10


def test_a_file_cannot_replace_another_one_or_leave_the_archive(tmp_path):
    with pytest.raises(InputError, match=r"a\.tif: two files have this path"):
        write_zip(tmp_path / "a.zip", [Entry("a.tif", b"1"), Entry("a.tif", b"2")])
    for name in ("../a.tif", "/a.tif", "b/../../a.tif"):
        with pytest.raises(InputError, match="outside"):
            write_zip(tmp_path / "a.zip", [Entry(name, b"")])
