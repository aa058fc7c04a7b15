import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import collect_objects
import collect_stacks
from cellstack.config.columns import COLUMNS
from cellstack.errors import InputError
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.measure import collect


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def tables(tmp_path):
    a = write(
        tmp_path / "a.csv",
        "stack,object,label,segmentation_label,volume_um3,mean_intensity_dna\ns2,nuclei,1,4,0.100000000,7\ns2,nuclei,2,5,1e-07,\n",
    )
    b = write(
        tmp_path / "b.csv",
        "stack,object,label,segmentation_label,volume_um3,mean_intensity_actin\ns1,cells,1,1,00012,-3.5\n",
    )
    c = write(
        tmp_path / "c.csv", "stack,object,label,segmentation_label,volume_um3,mean_intensity_wall\n"
    )
    return [a, b, c]


def run(tmp_path, tables, user_columns):
    collect_objects.main(
        tables=tables,
        objects=tmp_path / "objects.csv",
        columns=tmp_path / "columns.csv",
        user_columns=user_columns,
    )
    return (tmp_path / "objects.csv").read_text(encoding="utf-8"), list(
        read_rows(tmp_path / "columns.csv")
    )


def test_objects_keep_their_order_and_every_digit(tmp_path, tables):
    text, columns = run(
        tmp_path, tables, {"s2/nuclei": {"condition": "control, 5 µM"}, "s1/cells": {"day": "3"}}
    )
    assert text.splitlines() == [
        "stack,object,label,segmentation_label,condition,day,volume_um3,mean_intensity_dna,mean_intensity_actin,mean_intensity_wall",
        's2,nuclei,1,4,"control, 5 µM",,0.100000000,7,,',
        's2,nuclei,2,5,"control, 5 µM",,1e-07,,,',
        "s1,cells,1,1,,3,00012,,-3.5,",
    ]
    assert [row["column"] for row in columns] == text.splitlines()[0].split(",")
    meaning = {row["column"]: (row["unit"], row["definition"]) for row in columns}
    assert meaning["condition"] == ("", "from the sheet")
    assert meaning["volume_um3"] == COLUMNS["volume_um3"]
    assert "channel actin" in meaning["mean_intensity_actin"][1]


def test_columns_of_the_sheet_follow_the_object(tmp_path):
    a = write(
        tmp_path / "a.csv",
        "stack,object,status,mean_volume_um3,flags\nx,nuclei,no objects,,no objects\n",
    )
    b = write(
        tmp_path / "b.csv",
        "stack,object,status,mean_volume_um3,flags,threshold\ny,nuclei,ok,3.25,,0.5\n",
    )
    collect_stacks.main(
        tables=[a, b], stacks=tmp_path / "stacks.csv", user_columns={"y/nuclei": {"mouse": "=1+2"}}
    )
    assert (tmp_path / "stacks.csv").read_text().splitlines() == [
        "stack,object,mouse,status,mean_volume_um3,flags,threshold",
        "x,nuclei,,no objects,,no objects,",
        "y,nuclei,'=1+2,ok,3.25,,0.5",
    ]


def test_missing_stacks_are_at_the_end(tmp_path):
    a = write(tmp_path / "a.csv", "stack,object,status,mean_volume_um3,flags\nx,nuclei,ok,1,\n")
    own = {"x/nuclei": {"mouse": "1"}, "y/nuclei": {"mouse": "2"}}
    missing = {"y": {"status": "failed", "flags": "denoise: why, and how"}}
    collect_stacks.main(
        tables=[a], stacks=tmp_path / "stacks.csv", user_columns=own, missing=missing
    )
    assert (tmp_path / "stacks.csv").read_text().splitlines()[1:] == [
        "x,nuclei,1,ok,1,",
        'y,nuclei,2,failed,,"denoise: why, and how"',
    ]


def test_column_of_the_sheet_must_not_have_the_name_of_a_result(tmp_path, tables):
    with pytest.raises(InputError, match=r"a column 'volume_um3', .* rename it"):
        run(tmp_path, tables, {"s1/cells": {"volume_um3": "1"}})
    assert not (tmp_path / "objects.csv").exists()


@pytest.mark.parametrize(
    "text",
    [
        "=1+2",
        "+cmd|' /C calc'!A0",
        "-x",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "-",
        "+",
        "-1-1",
        "-inf",
        "=5",
        "-1\n",
    ],
)
def test_formulas_are_escaped(text):
    assert collect.disarm(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["", "-3", "+4.5", "-.5", "-1e-7", "control", "a=b", "1-2", "'=1", "β-actin", " x"]
)
def test_other_text_is_unchanged(text):
    assert collect.disarm(text) == text


@given(st.text())
def test_only_numbers_start_like_a_formula(text):
    safe = collect.disarm(text)
    assert safe.endswith(text)
    if safe.startswith(collect.FORMULA_STARTS):
        float(safe)


names = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@given(st.lists(st.fixed_dictionaries({"stack": names, "object": names, "n": names}), max_size=5))
def test_rows_are_the_same_after_writing_and_reading(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    write_rows(path, ["stack", "object", "n"], rows)
    assert read_columns(path) == ["stack", "object", "n"]
    assert list(read_rows(path)) == rows


def test_cells_as_text():
    row = {
        "a": None,
        "b": float("nan"),
        "c": 3,
        "d": 0.1 + 0.2,
        "e": 2**40 + 1,
        "f": "x",
        "g": np.float64(1.5),
        "h": 1e20,
        "i": 2 / 3,
        "j": 123456.7891234,
    }
    expected = {
        "a": "",
        "b": "",
        "c": "3",
        "d": "0.3",
        "e": "1099511627777",
        "f": "x",
        "g": "1.5",
        "h": "1e+20",
        "i": "0.666666667",
        "j": "123456.789",
    }
    assert as_text(row) == expected
