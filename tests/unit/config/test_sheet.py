"""Reading the sheet, and its errors."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hostile import mutations
from study import ROOT

from cellstack.config import sheet

SCHEMA = yaml.safe_load(
    (ROOT / "config" / "schemas" / "stacks.schema.yaml").read_text(encoding="utf-8")
)


@pytest.fixture
def read(tmp_path):
    def from_text(text, name="stacks.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return sheet.read_sheet(str(path), SCHEMA)

    return from_text


def test_cells_are_stripped_converted_and_completed(read):
    rows, errors = read(
        "stack\tchannel \timage\tz_um\tinclude\tmouse\n a \tnuclei\tx y.tif\t0.5\tno\t007\n"
    )
    assert errors == []
    assert rows == [
        {
            "stack": "a",
            "channel": "nuclei",
            "image": "x y.tif",
            "z_um": 0.5,
            "include": False,
            "mouse": "007",
            "preset": "default",
        },
    ]


def test_commas_quotes_and_a_byte_order_mark(read):
    rows, errors = read('\ufeffstack,channel,image\r\na,nuclei,"b, ""c"".tif"\r\n', "stacks.csv")
    assert errors == []
    assert rows[0]["image"] == 'b, "c".tif'


def test_a_cell_that_is_not_a_number_stays_text(read):
    rows, _ = read("stack\tchannel\timage\tz_um\tdiameter_um\na\tnuclei\ta.tif\tthick\tinf\n")
    assert (rows[0]["z_um"], rows[0]["diameter_um"]) == ("thick", "inf")


SHEET = "stack,channel,image,z_um,y_um,condition\na,nuclei,a.tif,0.9,0.25,wt\n"
LIKE_SHEET = {
    "semicolons": (SHEET.replace(",", ";"), "stacks.csv"),
    "semicolons and decimal commas": (SHEET.replace(",", ";").replace("0.", "0,"), "stacks.csv"),
    "quoted decimal commas": (
        SHEET.replace("0.9", '"0,9"').replace("0.25", '"0,25"'),
        "stacks.csv",
    ),
    "tabs and decimal commas": (SHEET.replace(",", "\t").replace("0.", "0,"), "stacks.tsv"),
    "tabs in a .csv": (SHEET.replace(",", "\t"), "stacks.csv"),
    "commas in a .tsv": (SHEET, "stacks.tsv"),
    "capitals in the name": (SHEET, "stacks.CSV"),
    "capitals in the header": (SHEET.replace("stack,channel", "Stack,CHANNEL"), "stacks.csv"),
    "UTF-16": (SHEET.encode("utf-16"), "stacks.csv"),
    "blanks": (SHEET.replace(",", " , "), "stacks.csv"),
    "no-break spaces": (SHEET.replace("nuclei", "nuclei\u00a0"), "stacks.csv"),
}


@pytest.mark.parametrize(("text", "name"), LIKE_SHEET.values(), ids=LIKE_SHEET)
def test_sheets_as_spreadsheets_write_them(read, text, name):
    (row,), errors = read(text, name)
    assert errors == []
    assert row == read(SHEET, "stacks.csv")[0][0]
    assert (row["z_um"], row["y_um"], row["condition"]) == (0.9, 0.25, "wt")


def test_a_comma_that_can_separate_thousands_stays_text(read):
    rows, _ = read(SHEET.replace(",", ";").replace("0.9", "1,234"), "stacks.csv")
    assert rows[0]["z_um"] == "1,234"


def test_a_missing_column_is_reported_once(read):
    rows, errors = read("# my stacks\n" + SHEET * 3, "stacks.csv")
    assert rows == []
    (error,) = errors
    assert "has no column stack or channel or image; it has" in error
    assert "# my stacks" in error
    assert read("\n".join(SHEET.splitlines()), "stacks.csv")[1] == []  # the fix
    rows, errors = read("stack,Stack,channel,image\na,a,nuclei,a.tif\n", "stacks.csv")
    assert len(errors) == 1
    assert "columns 'stack' and 'Stack' have the same name; remove all but one" in errors[0]


def test_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["stack", "channel", "image", "z_um", "mouse", "day", "include"])
    book.active.append(["a", "nuclei", "a.tif", 0.5, 7, None, True])
    book.save(tmp_path / "stacks.xlsx")
    (row,), errors = sheet.read_sheet(str(tmp_path / "stacks.xlsx"), SCHEMA)
    assert errors == []
    assert (row["z_um"], row["mouse"], row["include"]) == (0.5, "7", True)
    assert "day" not in row
    (tmp_path / "stacks.xlsx").write_bytes(b"PK\x03\x04\x14\0\0\0\0\0")
    _, (error,) = sheet.read_sheet(str(tmp_path / "stacks.xlsx"), SCHEMA)
    assert "not a complete workbook" in error


def test_a_workbook_without_openpyxl(tmp_path, monkeypatch):
    (tmp_path / "stacks.xlsx").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    _, (error,) = sheet.read_sheet(str(tmp_path / "stacks.xlsx"), SCHEMA)
    assert "is an Excel workbook, which is read with the package openpyxl; install it" in error
    _, (error,) = sheet.read_sheet(str(tmp_path / "none.xlsx"), SCHEMA)
    assert "does not exist" in error


def test_empty_rows_are_ignored(read):
    lines = SHEET.splitlines()
    rows, errors = read("\n".join([lines[0], ",,,,,", "", lines[1], ",,,,,", ""]), "stacks.csv")
    assert errors == []
    assert [row["include"] for row in rows] == [False, False, True]


def test_rows_after_an_empty_one_are_counted_as_in_a_spreadsheet(read):
    text = "stack,channel,image\n,,\na,nuclei,\n\nb,nuclei,x.tif,surplus\n"
    assert "stacks.csv row 5: has more cells" in read(text, "stacks.csv")[1][0]
    rows, errors = read(text.replace(",surplus", ""), "stacks.csv")
    assert "row 3: image is missing" in errors_of(rows, errors)[0]


def test_each_missing_cell_is_reported_once(read):
    rows, _ = read("stack,channel,image,mouse\n,,,7\n", "stacks.csv")
    assert errors_of(rows)[:3] == [
        f"stacks.tsv row 2: {column} is missing; fill it in"
        for column in ("stack", "channel", "image")
    ]
    assert len(errors_of(rows)) == len(set(errors_of(rows)))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\t\t\n", "\n\n\t\t\n\n"])
def test_empty_lines_at_the_end_are_ignored(read, ending):
    rows, errors = read(f"stack\tchannel\timage\na\tnuclei\tx.tif{ending}")
    assert errors == []
    assert len(rows) == 1


def test_missing_cells_are_absent_and_empty_surplus_cells_are_ignored(read):
    rows, errors = read("stack\tchannel\timage\na\tnuclei\na\tnuclei\tx.tif\t\t\n")
    assert errors == []
    assert "image" not in rows[0]
    assert rows[1].keys() >= {"stack", "channel", "image"}


def test_surplus_cells_and_repeated_columns_are_refused(read):
    rows, errors = read(
        "stack\tchannel\timage\timage\na\tnuclei\tx.tif\ty.tif\nb\tnuclei\tx.tif\ty.tif\tz\n"
    )
    assert rows == []
    assert [error.partition(": ")[2].split(";")[0] for error in errors] == [
        "column 'image' occurs 2 times",
        "has more cells than the header",
    ]
    assert "row 3: " in errors[1]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00\x01\x80", b'stack\timage\na\t"x.tif\n', b"stack\n" + b"a" * 200_000],
)
def test_a_file_that_is_not_a_table_is_refused_in_one_line(read, content):
    rows, errors = read(content)
    assert rows == []
    assert len(errors) == 1
    assert "stacks.tsv' is not a text table in UTF-8" in errors[0]
    assert "\n" not in errors[0]


def test_a_pipe_a_device_or_a_folder_is_refused_in_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe.tsv")
    for path in (tmp_path / "pipe.tsv", tmp_path, Path("/dev/zero")):
        rows, errors = sheet.read_sheet(str(path), SCHEMA)
        assert rows == []
        (error,) = errors
        assert f"{str(path)!r} is not a text table in UTF-8 (not a regular file)" in error


def test_a_time_point_is_an_integer_from_0(read):
    lines = "stack\tchannel\timage\tscene\ttime\n" + "".join(
        f"a{number}\tnuclei\tx.tif\t2\t{time}\n"
        for number, time in enumerate(["3", "", "-1", "2.5", "9" * 5000])
    )
    rows, errors = read(lines)
    assert (rows[0]["scene"], rows[0]["time"]) == ("2", 3)
    assert "time" not in rows[1]
    found = errors_of(rows, errors)
    assert [error.split(":")[0] for error in found] == [
        f"stacks.tsv row {number}.time" for number in (4, 5, 6)
    ]
    assert "-1 is below 0; give the time point of the file" in found[0]


@pytest.mark.parametrize("url", ["https://example.org/a.zarr", "s3://bucket/a.zarr"])
def test_only_an_image_can_be_remote(read, url):
    lines = f"stack\tchannel\timage\tlabels\na\tnuclei\t{url}\t{url}\n"
    assert errors_of(*read(lines)) == [
        f"stacks.tsv row 2: labels '{url}' is an address, which only `image` can be; "
        "download it, and give its folder"
    ]


@pytest.mark.parametrize("column", ["image", "labels"])
@pytest.mark.parametrize("url", ["https://user:secret@a.org/a.zarr", "s3://a/a.zarr?key=secret"])
def test_an_address_with_a_secret_is_refused_and_not_repeated(read, column, url):
    cells = {"image": __file__} | {column: url}
    lines = "\t".join(["stack", "channel", *cells]) + "\n"
    lines += "\t".join(["a", "nuclei", *cells.values()]) + "\n"
    (error,) = errors_of(*read(lines))
    assert f"{column}: an address contains a user name, a password or a query" in error
    assert "secret" not in error


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


def errors_of(rows, errors=()):
    return [
        *errors,
        *sheet.find_errors(
            rows,
            SCHEMA,
            where="stacks.tsv",
            presets={"default"},
            diameters={"nuclei": 10},
            objects=["nuclei"],
            made={"x.tif"},
        ),
    ]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("column", ["stack", "channel"])
def test_names_that_could_lead_elsewhere_are_refused(read, name, column):
    cells = {"stack": "a", "channel": "nuclei", "image": "x.tif"} | {
        column: '"' + name.replace('"', '""') + '"'
    }
    rows, errors = read("\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n")
    assert any(
        error.startswith(f"stacks.tsv row 2.{column}: ") for error in errors_of(rows, errors)
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Mouse1", "mouse1"),
        ("\u00e9", "e\u0301"),
        ("\u00c9", "e\u0301"),
        ("straSSe", "stra\u00dfe"),
    ],
)
def test_names_that_a_disk_may_treat_as_one_are_refused(read, first, second):
    header = "stack\tchannel\timage\n"
    stacks = header + "".join(f"{name}\tnuclei\tx.tif\n" for name in (first, second, second))
    channels = header + "".join(f"a\t{name}\tx.tif\n" for name in ("nuclei", first, second))
    for text, kind in ((stacks, "the stacks"), (channels, "stack 'a': the channels")):
        found = [error for error in errors_of(*read(text)) if "the same folder" in error]
        assert len(found) == 1
        assert found[0].startswith(f"stacks.tsv: {kind} ")
        assert repr(first) in found[0]
        assert repr(second) in found[0]
    apart = header + f"a\tnuclei\tx.tif\na\t{first}\tx.tif\nb\tnuclei\tx.tif\nb\t{second}\tx.tif\n"
    assert not any("the same folder" in error for error in errors_of(*read(apart)))


@pytest.mark.parametrize(
    "cell",
    ["=cmd|' /C calc'!A0", "@SUM(1)", "$(touch x)", "`touch x`", "; rm -rf /", "{x}", "../../x"],
)
def test_cells_of_user_columns_are_kept_as_text(read, cell):
    rows, errors = read(f"stack\tchannel\timage\tmine\na\tnuclei\tx.tif\t{cell}\n")
    assert errors_of(rows, errors) == []
    assert rows[0]["mine"] == cell


@pytest.mark.parametrize(
    ("former", "present"),
    [("truth", "ground_truth"), ("index", "channel_index"), ("use", "include")],
)
def test_a_renamed_column_is_refused_with_its_present_name(read, former, present):
    errors = errors_of(*read(f"stack\tchannel\timage\t{former}\na\tnuclei\tx.tif\t1\n"))
    assert errors == [f"stacks.tsv: column {former!r} was renamed; use {present!r}"]


def test_a_column_like_a_known_one_or_a_result_is_refused(read):
    errors = errors_of(
        *read("stack\tchannel\timage\tlables\tvolume_um3\tmine\na\tnuclei\tx.tif\t1\t1\t1\n")
    )
    assert [error.split("; ")[0] for error in errors] == [
        "stacks.tsv: column 'lables' resembles 'labels'",
        "stacks.tsv: column 'volume_um3' has the name of a column of the results",
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Z (µm)", "resembles 'z_um'"),
        ("y um", "resembles 'y_um'"),
        ("Diameter (um)", "resembles 'diameter_um'"),
        ("x_nm", "is not read; give the voxel size in um in the column 'x_um', or rename it"),
        (
            "z (microns)",
            "is not read; give the voxel size in um in the column 'z_um', or rename it",
        ),
        ("z", None),
        ("x_position_um", None),
    ],
)
def test_a_size_under_another_name_is_refused(read, column, expected):
    errors = errors_of(*read(f"stack\tchannel\timage\t{column}\na\tnuclei\tx.tif\t1\n"))
    assert [f"column {column!r} {expected}" in error for error in errors] == [True] * bool(expected)


@pytest.mark.parametrize("image", ["x" * 300 + ".tif", "x/" * 3000, "x" * 300 + "*.tif"])
def test_an_image_path_that_is_too_long_does_not_exist(read, image):
    rows, errors = read(f"stack\tchannel\timage\na\tnuclei\t{image}\n")
    (error,) = errors_of(rows, errors)
    assert "does not exist" in error


def test_mutated_sheets(read):
    count = mutations(200)
    rng = np.random.default_rng(1)
    valid = "stack\tchannel\timage\tz_um\tdiameter_um\tinclude\tmouse\n" + "".join(
        f"s{n}\tnuclei\tx.tif\t0.5\t7\ttrue\tm{n}\n" for n in range(20)
    )
    pieces = [
        b"\t",
        b"\n",
        b'"',
        b"\r",
        b"\x00",
        b"\xff",
        b"..",
        b"-1e999",
        b"nan",
        b"=1+1",
        b"\xef\xbb\xbf",
        b"s1",
        "µ".encode(),
    ]
    refused = 0
    for _ in range(count):
        content = bytearray(valid.encode())
        for _ in range(rng.integers(1, 8)):
            start = rng.integers(len(content))
            content[start : start + rng.integers(0, 6)] = pieces[rng.integers(len(pieces))]
        found = errors_of(*read(bytes(content)))
        assert all(error and len(error.splitlines()) == 1 for error in found)
        refused += bool(found)
    assert 0.2 * count < refused <= count


@pytest.mark.parametrize("name", ["mouse_1", "a_b-c_", "9_"])
def test_names_of_stacks_can_have_underscores(read, name):
    rows, errors = read(f"stack\tchannel\timage\n{name}\tnuclei\tx.tif\n")
    assert not any("wrong format" in error for error in errors_of(rows, errors))
    rows, errors = read("stack\tchannel\timage\n_a\tnu_clei\tx.tif\n")
    wrong = [error for error in errors_of(rows, errors) if "wrong format" in error]
    assert sorted(error.split(":")[0] for error in wrong) == [
        "stacks.tsv row 2.channel",
        "stacks.tsv row 2.stack",
    ]


@pytest.mark.parametrize(
    ("channels", "resembled"),
    [
        (["Nuclei"], "nuclei"),
        (["nuclei", "membranes"], "membrane"),
        (["nuclei", "Membrane"], "membrane"),
        (["nuclei", "membrane", "membranes2"], None),
        (["nuclei", "dye"], None),
    ],
)
def test_a_channel_that_resembles_one_that_is_missing_is_refused(read, channels, resembled):
    lines = [f"a\t{channel}\tx.tif" for channel in channels]
    rows, errors = read("\n".join(["stack\tchannel\timage", *lines]) + "\n")
    found = [error for error in errors_of(rows, errors) if "resembles" in error]
    row = len(channels) + 1
    message = f"stacks.tsv row {row}: channel {channels[-1]!r} resembles {resembled!r}; rename it"
    assert [error.startswith(message) for error in found] == [True] * bool(resembled)
