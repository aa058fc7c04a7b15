"""Read the cells of a table that a spreadsheet or a text editor has saved.

Imported when Snakemake parses the workflow, so it imports nothing heavy, except to read a workbook.
"""

import codecs
import csv
import io
import os
import re
from pathlib import Path
from typing import Any

FIRST_ROW = 2  # in messages: the header is row 1, as in a spreadsheet
WORKBOOKS = (".xlsx", ".xlsm")
TEXT_TABLES = (".csv", ".tsv")
SEPARATORS = {".csv": ","}  # by the end of the name; tabs for other names
KNOWN_SEPARATORS = (",", ";", "\t")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # can also be a decimal comma
DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)")


def is_text_table(path: str | Path) -> bool:
    """Return whether a file is a text table, by its name.

    Examples
    --------
    >>> is_text_table("points.csv"), is_text_table("labels.tif")
    (True, False)
    """
    return Path(path).suffix.lower() in TEXT_TABLES


def read_cells(path: str) -> list[list[str]]:
    """Return the cells of a table, row by row, without surrounding blanks.

    Parameters
    ----------
    path : str
        A text in UTF-8, or in UTF-16 with a byte order mark, separated by commas if its name ends
        in .csv, else by tabs; or by semicolons, tabs or commas if only one of these is in the first
        line. Or an Excel workbook, of which the first visible sheet is read.

    Returns
    -------
    list of list of str

    Raises
    ------
    FileNotFoundError
    ModuleNotFoundError
        The table is a workbook, and openpyxl is not installed.
    OSError, ValueError, csv.Error
        The file cannot be read as a table.
    """
    # opening a pipe waits for another program, and reading a device may never end
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 (never raise)
        raise OSError("not a regular file")
    if path.lower().endswith(WORKBOOKS):
        lines = _read_workbook(path)
    else:
        text = _read_text(path)
        separator = separator_of(path)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    if not lines:
        raise ValueError("it is empty: write the header in its first line")
    return [[cell.strip() for cell in line] for line in lines]


def _read_text(path: str) -> str:
    content = Path(path).read_bytes()
    return content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")


def separator_of(path: str) -> str:
    """Return the character that separates the cells of a text table, see :func:`read_cells`."""
    header = _read_text(path).partition("\n")[0]
    usual = SEPARATORS.get(Path(path).suffix.lower(), "\t")
    present = [each for each in KNOWN_SEPARATORS if each in header]
    return present[0] if len(present) == 1 else usual


def _read_workbook(path: str) -> list[list[str]]:
    """Return the cells of the first visible sheet of an Excel workbook as text."""
    Path(path).stat()  # a missing file is not a missing package
    import zipfile

    import openpyxl  # optional, and slow to import
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        values, written = (
            _cells_of_workbook(openpyxl.load_workbook(path, read_only=True, data_only=with_values))
            for with_values in (True, False)
        )
    except (
        InvalidFileException,
        AttributeError,
        KeyError,
        IndexError,
        TypeError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"not a complete workbook: {error}") from error
    formulas = [
        (cell, value)
        for row, row_as_written in zip(values, written, strict=True)
        for value, cell in zip(row, row_as_written, strict=True)
        if isinstance(cell, str) and cell.startswith("=")
    ]
    if formulas and all(value is None for _, value in formulas):
        # a program wrote them, and no spreadsheet has calculated them
        raise ValueError(f"formulas such as {formulas[0][0]} have no values")
    return [[_as_text(cell) for cell in row] for row in values]


def _cells_of_workbook(book: Any) -> list[tuple[Any, ...]]:
    visible = [each for each in book.worksheets if each.sheet_state == "visible"]
    rows = list((visible or book.worksheets)[0].values)
    book.close()
    return rows


def _as_text(cell: Any) -> str:
    """Return the value of a cell as it would be in a text table."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def as_number(cell: str) -> float:
    """Convert a cell to a number, with a decimal point or a decimal comma.

    Parameters
    ----------
    cell : str

    Returns
    -------
    float

    Raises
    ------
    ValueError
        It is not a number, or its comma can be a decimal comma or a thousands separator.

    Examples
    --------
    >>> as_number("0,25"), as_number("0.25")
    (0.25, 0.25)
    """
    if THOUSANDS.fullmatch(cell):
        raise ValueError(f"{cell!r} has a decimal comma or a thousands separator")
    return float(DECIMAL_COMMA.sub(r"\1.\2", cell) if DECIMAL_COMMA.fullmatch(cell) else cell)
