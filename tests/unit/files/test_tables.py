"""CSV tables: exact cells, and no formulas for spreadsheets."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.files.tables import (
    as_text,
    disarm,
    read_columns,
    read_rows,
    restore,
    write_rows,
)
from cellstack.run.progress import Job, Progress

FORMULAS = [
    "=1+2",
    "+cmd|' /C calc'!A0",
    "-x",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tx",
    "-",
    "+",
    "-1-1",
    "-inf",
    "=5",
    "-1\n",
    "＝1+2",
    "＋1",
    "－1",
    "＠a",
    "﹦1",
    " =1",
    "\u3000=1",
    "\ufeff=1",
    "\u200b＝1",
]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("quotes", ["", "'", "''"])
def test_formulas_are_escaped(text, quotes):
    assert disarm(quotes + text) == "'" + quotes + text


@pytest.mark.parametrize(
    "text",
    ["", "-3", "+4.5", "-.5", "-1e-7", "control", "a=b", "1-2", "'", "'a'", "β-actin", " x", "'-3"],
)
def test_other_text_is_unchanged(text):
    assert disarm(text) == restore(text) == text


@given(st.text(), st.sampled_from(["", "'", "=", "＝", " ", "\t"]))
def test_only_numbers_start_like_a_formula(text, start):
    safe = disarm(start + text)
    assert restore(safe) == start + text
    if safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        float(safe)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_is_in_any_cell_or_column_name_of_a_table(tmp_path, text):
    write_rows(tmp_path / "a.csv", ["a", text], [{"a": text, text: 3}, {text: text}])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        stored = list(csv.reader(file))
    assert stored == [["a", "'" + text], ["'" + text, "3"], ["", "'" + text]]
    assert read_columns(tmp_path / "a.csv") == ["a", text]
    assert list(read_rows(tmp_path / "a.csv")) == [{"a": text, text: "3"}, {"a": "", text: text}]


def test_a_reason_that_looks_like_a_formula_is_text_in_the_table_of_failed_stacks(tmp_path):
    (tmp_path / "a.log").write_text("ERROR import_stack a: =cmd|' /C calc'!A0\n")
    job = Job("import_stack", "a", [str(tmp_path / "a.log")])
    progress = Progress({1: job}, [], tmp_path)
    progress.failed[1] = job.logs
    progress.finish()
    assert ",'=cmd|' /C calc'!A0," in (tmp_path / "failed.csv").read_text()
    (row,) = read_rows(tmp_path / "failed.csv")
    assert row["reason"] == "=cmd|' /C calc'!A0"


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(st.lists(st.fixed_dictionaries({"stack": names, "object": names, "n": names}), max_size=5))
def test_rows_are_the_same_after_writing_and_reading(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    write_rows(path, ["stack", "object", "n"], rows)
    assert read_columns(path) == ["stack", "object", "n"]
    assert list(read_rows(path)) == rows


def test_a_cell_of_an_unknown_column_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        write_rows(tmp_path / "a.csv", ["a"], [{"a": 1, "b": 2}])
    assert not (tmp_path / "a.csv").exists()


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
        "i": 123456789.4,
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
        "i": "123456789",
    }
    assert as_text(row) == expected
