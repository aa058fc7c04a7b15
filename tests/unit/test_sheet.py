"""The sheet as it is read: cells, numbers, and what is no table."""

import os

import numpy as np
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


HOSTILE = [
    "..",
    "../a",
    "a/b",
    "/etc",
    "a b",
    "a'b",
    'a"b',
    "a\nb",
    "a\rb",
    "a" * 300,
    "ä",
    "名",
    "a\u202eb",
    "a\x00b",
    "$(touch x)",
    "{a}",
    "-a",
    ".a",
]


def faults_of(rows, faults=()):
    return [
        *faults,
        *sheet.find_faults(
            rows, SCHEMA, where="stacks.tsv", presets={"default"}, diameters={"nuclei": 10}, objects=["nuclei"], made={"x.tif"}
        ),
    ]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("column", ["stack", "channel"])
def test_names_that_could_lead_elsewhere_are_refused(read, name, column):
    cells = {"stack": "a", "channel": "nuclei", "image": "x.tif"} | {column: '"' + name.replace('"', '""') + '"'}
    rows, faults = read("\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n")
    assert any(fault.startswith(f"stacks.tsv row 1.{column}: ") for fault in faults_of(rows, faults))


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "@SUM(1)", "$(touch x)", "`touch x`", "; rm -rf /", "{x}", "../../x"])
def test_what_stands_in_a_column_of_the_user_is_text(read, cell):
    rows, faults = read(f"stack\tchannel\timage\tmine\na\tnuclei\tx.tif\t{cell}\n")
    assert faults_of(rows, faults) == []
    assert rows[0]["mine"] == cell


@pytest.mark.parametrize("image", ["x" * 300 + ".tif", "x/" * 3000, "x" * 300 + "*.tif"])
def test_an_image_with_a_name_too_long_for_any_file_does_not_exist(read, image):
    rows, faults = read(f"stack\tchannel\timage\na\tnuclei\t{image}\n")
    (fault,) = faults_of(rows, faults)
    assert "does not exist" in fault


def test_mutated_sheets(read):
    count = int(os.environ.get("CELLSTACK_FUZZ", "500"))
    rng = np.random.default_rng(1)
    sound = "stack\tchannel\timage\tz_um\tdiameter_um\tuse\tmouse\n" + "".join(
        f"s{n}\tnuclei\tx.tif\t0.5\t7\ttrue\tm{n}\n" for n in range(20)
    )
    pieces = [b"\t", b"\n", b'"', b"\r", b"\x00", b"\xff", b"..", b"-1e999", b"nan", b"=1+1", b"\xef\xbb\xbf", b"s1", "µ".encode()]
    refused = 0
    for _ in range(count):
        content = bytearray(sound.encode())
        for _ in range(rng.integers(1, 8)):
            start = rng.integers(len(content))
            content[start : start + rng.integers(0, 6)] = pieces[rng.integers(len(pieces))]
        found = faults_of(*read(bytes(content)))
        assert all(fault and len(fault.splitlines()) == 1 for fault in found)
        refused += bool(found)
    assert 0.2 * count < refused <= count
