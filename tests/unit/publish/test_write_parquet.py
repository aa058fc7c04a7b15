import json
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from study import ROOT, environment

import write_parquet as script
from cellstack.compare import group_columns
from cellstack.config.columns import describe_tables
from cellstack.evaluate import score_columns
from cellstack.files.tables import write_rows
from cellstack.measure.measure_objects import MEASURED
from cellstack.publish.write_parquet import kind_of

HOSTILE = ["<script>", "'=1", "=cmd()", "\u202egnp", "a\tb", '""', "' '", "NULL", "nan", "1e5"]
CELLS = ["=1+1", "", "  two\nlines ", '"quoted", 1', "007"]


@pytest.fixture
def tables(tmp_path):
    """A table of objects with a column of the user, and the definitions of its columns."""
    rows = [
        {"stack": f"s{number}", "label": str(number + 1), "volume_um3": volume, "mouse": cell}
        for number, (cell, volume) in enumerate(
            zip(CELLS, ["1.5", "", "2", "1e-3", "123456789.5"], strict=True)
        )
    ]
    write_rows(tmp_path / "objects.csv", list(rows[0]), rows)
    described = describe_tables(
        {group: ["nuclei"] for group in MEASURED}, ["nuclei"], ["nuclei"], ["mouse"]
    )
    definitions = [
        {"table": table, "column": column, "unit": unit, "definition": definition}
        for table, columns in described.items()
        for column, (unit, definition) in columns.items()
    ]
    write_rows(tmp_path / "columns.csv", list(definitions[0]), definitions)
    return tmp_path


def convert(folder, name="objects.parquet"):
    script.main(table=folder / "objects.csv", columns=folder / "columns.csv", parquet=folder / name)
    return folder / name


def test_pandas_reads_values_units_and_definitions(tables):
    frame = pd.read_parquet(convert(tables))
    assert frame["label"].tolist() == [1, 2, 3, 4, 5] and frame["label"].dtype == "int64"
    assert frame["volume_um3"].fillna(-1).tolist() == [1.5, -1, 2, 1e-3, 123456789.5]
    texts = frame["mouse"].astype(object).where(frame["mouse"].notna(), "")
    assert texts.tolist() == CELLS
    assert frame.attrs["columns"]["volume_um3"] == {
        "unit": "um3",
        "definition": "Number of voxels times the volume of a voxel",
    }


def test_polars_reads_values_units_and_definitions(tables):
    path = convert(tables)
    frame = pl.read_parquet(path)
    assert frame.schema == {
        "stack": pl.String,
        "label": pl.Int64,
        "volume_um3": pl.Float64,
        "mouse": pl.String,
    }
    assert frame["mouse"].fill_null("").to_list() == CELLS
    assert frame["volume_um3"].null_count() == 1
    columns = json.loads(pl.read_parquet_metadata(path)["columns"])
    assert columns["volume_um3"]["unit"] == "um3"


def test_each_field_has_its_unit(tables):
    schema = pq.read_schema(convert(tables))
    assert schema.field("volume_um3").metadata[b"unit"] == b"um3"
    assert schema.field("mouse").metadata == {b"definition": b"from the sheet"}


def test_the_file_is_the_same_each_time(tables):
    first = convert(tables, "a.parquet").read_bytes()
    assert first == convert(tables, "b.parquet").read_bytes()


def test_a_table_without_rows_has_the_same_types(tables):
    full = pq.read_schema(convert(tables))
    header = (tables / "objects.csv").read_text().splitlines()[0]
    (tables / "objects.csv").write_text(f"{header}\n")
    assert pq.read_schema(convert(tables)).equals(full)
    assert pl.read_parquet(convert(tables)).height == 0


def test_hostile_texts_are_kept(tables):
    rows = [{"stack": "s", "mouse": text} for text in HOSTILE]
    write_rows(tables / "objects.csv", ["stack", "mouse"], rows)
    assert pl.read_parquet(convert(tables))["mouse"].to_list() == HOSTILE


def test_numbers_are_numbers_in_every_table():
    described = describe_tables(
        {group: ["nuclei"] for group in MEASURED}, ["nuclei"], ["nuclei", "cells"], []
    )
    described = {name: columns for name, columns in described.items() if name != "pairs.csv"}
    described |= score_columns.TABLES | group_columns.TABLES
    units = {
        (name, column): unit
        for name, columns in described.items()
        for column, (unit, _) in columns.items()
    }
    texts = {column for _, column in units if kind_of(column, {}) == "text"}
    assert {"stack", "object", "flags", "status"} <= texts
    assert [column for (_, column), unit in units.items() if unit and column in texts] == []
    lists = {
        column
        for columns in described.values()
        for column, (_, definition) in columns.items()
        if "joined by ;" in definition
    }
    assert {"flags", "corrections", "cut_by_faces"} <= lists <= texts
    integers = {column for _, column in units if kind_of(column, {}) == "integer"}
    assert {"label", "segmentation_label", "volume_voxels", "count_found", "n"} <= integers
    assert not any(column.endswith(("_um", "_um2", "_um3", "_ratio")) for column in integers)


def test_without_pyarrow_one_line_says_how_to_install_it(tables):
    code = "import sys; sys.modules['pyarrow'] = None; import runpy; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    words = ["--table", tables / "objects.csv", "--columns", tables / "columns.csv"]
    words += ["--parquet", tables / "out.parquet"]
    process = subprocess.run(
        [sys.executable, "-c", code, ROOT / "scripts/write_parquet.py", *words],
        capture_output=True,
        text=True,
        env=environment() | {"PYTHONPATH": str(ROOT / "scripts")},
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert "Parquet tables are written with the package pyarrow, which is not installed" in line
    assert line.endswith("make export, or pip install -r envs/requirements/export.txt")
    assert not (tables / "out.parquet").exists()


def test_line_breaks_in_a_long_table_do_not_end_a_row(tables):
    text = "line\n" * 20
    write_rows(tables / "objects.csv", ["stack", "mouse"], [{"stack": "s", "mouse": text}] * 15_000)
    assert (tables / "objects.csv").stat().st_size > 2**20  # pyarrow reads blocks of 1 MB
    assert pl.read_parquet(convert(tables))["mouse"].to_list() == [text] * 15_000
