"""Folders that can or cannot be written to."""

import errno

import pytest
from snakemake.exceptions import WorkflowError

from cellstack.run import folders
from cellstack.run.folders import check_folders


def test_folders_that_do_not_exist_are_not_created(tmp_path):
    check_folders([tmp_path, tmp_path / "a" / "b", tmp_path / "c"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(WorkflowError, match=r"results: cannot be written to .*not a folder"):
        check_folders([tmp_path / "results"])


def test_each_folder_is_named_once(tmp_path, monkeypatch):
    def fail(dir):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(folders.tempfile, "TemporaryFile", fail)
    (tmp_path / "results").mkdir()
    with pytest.raises(WorkflowError) as error:
        check_folders([tmp_path / "results", tmp_path / "results" / "a", tmp_path])
    assert [line.split(": ")[0] for line in str(error.value).splitlines()] == [
        str(tmp_path / "results"),
        str(tmp_path),
    ]
    assert str(error.value).count("Disk quota exceeded); free disk space") == 2
