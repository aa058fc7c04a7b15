"""The cells of tables as spreadsheets and text editors save them."""

import csv
import re
import zipfile

import pytest

from cellstack.files.spreadsheets import as_number, read_cells


def write_workbook(path, rows):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("notes").append(["other"])
    book.save(path)
    return str(path)


@pytest.mark.parametrize("name", ["a.xlsx", "a.xlsm", "a.XLSX"])
def test_the_first_sheet_of_a_workbook_is_read_as_text(tmp_path, name):
    rows = [["stack", " day "], ["a", None], ["b", 7.0], ["c", 0.25]]
    path = write_workbook(tmp_path / name, rows)
    assert read_cells(path) == [["stack", "day"], ["a", ""], ["b", "7"], ["c", "0.25"]]


def test_a_formula_is_read_as_its_value(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [["z_um"], ["=1/4"]])
    with pytest.raises(ValueError, match="formulas such as =1/4 have no values"):
        read_cells(path)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, re.sub(rb"<v\s*/>|<v></v>", b"<v>0.25</v>", content))
    assert read_cells(path) == [["z_um"], ["0.25"]]


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("a.csv", "p;q\n1,5;2,5\n", ["1,5", "2,5"]),
        ("a.csv", "p,q\n1;5,2\n", ["1;5", "2"]),
        ("a.CSV", "p;x,q\n1,2\n", ["1", "2"]),  # the first line has two kinds of separators
        ("a.tsv", "p\tq;x\n1,5\t2\n", ["1,5", "2"]),
        ("a.tsv", "p\n1\t2\n", ["1", "2"]),
    ],
)
def test_the_separator_is_that_of_the_first_line_or_of_the_name(tmp_path, name, text, row):
    (tmp_path / name).write_text(text)
    assert read_cells(str(tmp_path / name))[1] == row


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_not_part_of_the_first_cell(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("stack,µ\n", encoding=encoding)
    assert read_cells(str(tmp_path / "a.csv")) == [["stack", "µ"]]


def test_hidden_sheets_of_a_workbook_are_skipped(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["old"])
    book.active.sheet_state = "hidden"
    book.create_sheet("shown").append(["new"])
    book.active = 1
    book.save(tmp_path / "a.xlsx")
    assert read_cells(str(tmp_path / "a.xlsx")) == [["new"]]


def test_charts_of_a_workbook_are_skipped(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book, path = openpyxl.Workbook(), str(tmp_path / "a.xlsx")
    book.active.append(["stack"])
    charts = book.create_chartsheet(index=0)
    book.save(path)  # incomplete: the sheet of charts is empty
    with pytest.raises(ValueError, match="not a complete workbook"):
        read_cells(path)
    charts.add_chart(openpyxl.chart.BarChart())
    book.save(path)
    assert read_cells(path) == [["stack"]]
    book.remove(book.worksheets[0])
    book.save(path)
    with pytest.raises(ValueError, match="not a complete workbook"):
        read_cells(path)


def test_a_line_break_in_a_cell_is_kept(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'stack,note\r\na,"one\r\ntwo"\r\n')
    assert read_cells(str(tmp_path / "a.csv")) == [["stack", "note"], ["a", "one\r\ntwo"]]


def test_an_empty_file_is_refused_with_the_fix(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(ValueError, match="empty: write the header in its first line"):
        read_cells(str(tmp_path / "a.csv"))


def test_an_unfinished_quotation_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text('a,"b\n')
    with pytest.raises(csv.Error):
        read_cells(str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("cell", "number"),
    [("0,250", 0.25), ("-1,5", -1.5), ("+1,25", 1.25), ("1234,567", 1234.567), ("1.234", 1.234)],
)
def test_decimal_points_and_commas(cell, number):
    assert as_number(cell) == number


@pytest.mark.parametrize("cell", ["1,234", "-12,345", "123,456", "1,2,3", "1,", ",5"])
def test_what_may_be_thousands_or_is_no_number_is_refused(cell):
    with pytest.raises(ValueError):
        as_number(cell)
