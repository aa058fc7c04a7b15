"""The sheet as it is read: cells, numbers, and what is no table."""

import pytest
import yaml
from conftest import ROOT

from cellstack import sheet

SCHEMA = yaml.safe_load((ROOT / "config" / "schemas" / "stacks.schema.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def read(tmp_path):
    def from_text(text, name="stacks.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return sheet.read_sheet(str(path), SCHEMA)

    return from_text


def test_cells_are_stripped_converted_and_completed(read):
    rows, faults = read("stack\tchannel \timage\tz_um\tuse\tmouse\n a \tnuclei\tx y.tif\t0.5\tno\t007\n")
    assert faults == []
    assert rows == [
        {"stack": "a", "channel": "nuclei", "image": "x y.tif", "z_um": 0.5, "use": False, "mouse": "007", "preset": "default"},
    ]


def test_commas_quotes_and_the_mark_of_excel(read):
    rows, faults = read('\ufeffstack,channel,image\r\na,nuclei,"b, ""c"".tif"\r\n', "stacks.csv")
    assert faults == []
    assert rows[0]["image"] == 'b, "c".tif'


def test_a_number_that_is_none_stays_text_and_breaks_the_schema(read):
    rows, _ = read("stack\tz_um\tdiameter_um\na\tthick\tinf\n")
    assert (rows[0]["z_um"], rows[0]["diameter_um"]) == ("thick", "inf")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\t\t\n", "\n\n\t\t\n\n"])
def test_empty_lines_at_the_end_are_no_rows(read, ending):
    rows, faults = read(f"stack\tchannel\timage\na\tnuclei\tx.tif{ending}")
    assert faults == []
    assert len(rows) == 1


def test_short_rows_lack_cells_and_empty_surplus_is_left_out(read):
    rows, faults = read("stack\tchannel\timage\na\tnuclei\na\tnuclei\tx.tif\t\t\n")
    assert faults == []
    assert "image" not in rows[0]
    assert rows[1].keys() >= {"stack", "channel", "image"}


def test_surplus_cells_and_double_columns_are_named(read):
    rows, faults = read("stack\timage\timage\na\tx.tif\ty.tif\nb\tx.tif\ty.tif\tz\n")
    assert rows == []
    assert [fault.partition(": ")[2].split(";")[0] for fault in faults] == [
        "column 'image' stands twice",
        "has more cells than the header has columns",
    ]
    assert "row 2: " in faults[1]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01\x80", b'stack\timage\na\t"x.tif\n', b"stack\n" + b"a" * 200_000])
def test_what_is_no_table_is_said_in_one_line(read, content):
    rows, faults = read(content)
    assert rows == []
    assert len(faults) == 1
    assert "stacks.tsv' is no table of text in UTF-8" in faults[0]
    assert "\n" not in faults[0]
