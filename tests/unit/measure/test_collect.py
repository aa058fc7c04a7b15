import pytest

import collect_objects
import collect_stacks
from cellstack.config.columns import COLUMNS
from cellstack.errors import InputError
from cellstack.files.tables import read_columns, read_rows


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


@pytest.mark.parametrize("name", ["=x", "＝x", "+1+1", "@a", "\tb"])
def test_names_and_cells_of_the_sheet_are_no_formulas(tmp_path, tables, name):
    text, columns = run(tmp_path, tables, {"s1/cells": {name: name}})
    stored = f"'{name}"
    assert stored in text.splitlines()[0].split(",")
    assert text.splitlines()[3].split(",")[4] == stored
    assert f"\n{stored},,from the sheet\n" in (tmp_path / "columns.csv").read_text("utf-8")
    assert name in read_columns(tmp_path / "objects.csv")
    assert [row["unit"] for row in columns if row["column"] == name] == [""]
    assert [row[name] for row in read_rows(tmp_path / "objects.csv")] == ["", "", name]
