"""Rows that are added to a table of corrections, and removed."""

import pytest
from corrections import correction

from cellstack.config.corrections import read_corrections
from cellstack.errors import InputError
from cellstack.view.table import append_corrections, remove_last

KINDS = {"a": ["nuclei", "cells"], "b": ["nuclei"]}
MERGE = correction("merge", [1.5, 2, 3], [4, 5, 6.0625])
DELETE = correction("delete", [0, 1, 2])
ADD = correction("add", [3, 2, 1], diameter_um=7.5)


def read(path):
    corrections, _, errors = read_corrections(str(path), KINDS, check=True)
    assert errors == []
    return corrections


@pytest.mark.parametrize("name", ["corrections.csv", "corrections.tsv"])
def test_what_is_appended_is_read(tmp_path, name):
    path = tmp_path / name
    append_corrections(path, "a", "nuclei", [MERGE, DELETE])
    append_corrections(path, "a", "nuclei", [ADD, MERGE])
    append_corrections(path, "b", "nuclei", [MERGE])
    append_corrections(path, "a", "cells", [])
    assert read(path) == {
        "a": {"nuclei": [MERGE, DELETE, ADD, MERGE]},
        "b": {"nuclei": [MERGE]},
    }


def test_rows_of_the_user_stay_as_they_are(tmp_path):
    path = tmp_path / "corrections.csv"
    header = "note;action;stack;object;z_um;y_um;x_um;ID\n"
    rows = (
        'debris;delete;b;nuclei;1,5;2;3;\n"a; b";merge;a;nuclei;1;2;3;1\n;merge;a;nuclei;1;2;4;1\n'
    )
    path.write_text(header + rows, encoding="utf-8")
    append_corrections(path, "a", "nuclei", [MERGE, ADD])
    lines = path.read_text().splitlines()
    assert lines[0] == header.strip() + ";diameter_um"
    assert lines[1:4] == [line + ";" for line in rows.splitlines()]
    assert lines[4] == ";merge;a;nuclei;1.5;2;3;2;"
    assert read(path)["a"]["nuclei"][1:] == [MERGE, ADD]


def test_the_last_correction_is_removed(tmp_path):
    path = tmp_path / "corrections.csv"
    append_corrections(path, "a", "nuclei", [DELETE, MERGE])
    append_corrections(path, "b", "nuclei", [DELETE])
    assert remove_last(path, "a", "nuclei") == "merge"
    assert read(path) == {"a": {"nuclei": [DELETE]}, "b": {"nuclei": [DELETE]}}
    assert remove_last(path, "a", "cells") is None
    assert remove_last(path, "a", "nuclei") == "delete"
    assert remove_last(path, "a", "nuclei") is None
    assert read(path) == {"b": {"nuclei": [DELETE]}}


def test_workbooks_and_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot be added to workbooks; save it as \.csv"):
        append_corrections(tmp_path / "a.xlsx", "a", "nuclei", [ADD])
    image = tmp_path / "a.csv"
    image.write_bytes(b"\xff\x00\xff")
    with pytest.raises(InputError, match="not a text table in UTF-8"):
        append_corrections(image, "a", "nuclei", [ADD])
    assert image.read_bytes() == b"\xff\x00\xff"
