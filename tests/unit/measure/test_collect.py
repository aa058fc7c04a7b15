import pytest

import collect_objects
import collect_stacks
from cellstack.config.columns import (
    CHECK_COLUMNS,
    QUALITY_COLUMNS,
    STACK_COLUMNS,
    STATISTICS_COLUMNS,
)
from cellstack.errors import InputError
from cellstack.files.records import write_json
from cellstack.files.tables import read_columns, read_rows, write_rows
from cellstack.measure.collect import flag_copies, flag_outliers


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
    objects = tmp_path / "objects.csv"
    collect_objects.main(tables=tables, objects=objects, user_columns=user_columns)
    return objects.read_text(encoding="utf-8")


def run_stacks(tmp_path, tables, user_columns, **options):
    paths = {
        name: tmp_path / f"{name}.csv" for name in ("stacks", "checks", "statistics", "quality")
    }
    files = {"statistics_tables": [], "quality_records": []} | options
    collect_stacks.main(tables=tables, user_columns=user_columns, **paths, **files)
    return [path.read_text(encoding="utf-8").splitlines() for path in paths.values()]


def test_objects_keep_their_order_and_every_digit(tmp_path, tables):
    text = run(
        tmp_path, tables, {"s2/nuclei": {"condition": "control, 5 µM"}, "s1/cells": {"day": "3"}}
    )
    assert text.splitlines() == [
        "stack,object,label,segmentation_label,condition,day,volume_um3,mean_intensity_dna,mean_intensity_actin,mean_intensity_wall",
        's2,nuclei,1,4,"control, 5 µM",,0.100000000,7,,',
        's2,nuclei,2,5,"control, 5 µM",,1e-07,,,',
        "s1,cells,1,1,,3,00012,,-3.5,",
    ]


def test_columns_of_the_sheet_follow_the_flags(tmp_path):
    header = "stack,object,status,flags,count_found,haze_ratio,count_saturated"
    a = write(tmp_path / "a.csv", f"{header}\nx,nuclei,no objects,none,0,,\n")
    b = write(tmp_path / "b.csv", f"{header}\ny,nuclei,ok,,3,0.5,2\n")
    stacks, checks, *_ = run_stacks(tmp_path, [a, b], {"y/nuclei": {"mouse": "=1+2"}})
    assert stacks[0].split(",") == [*list(STACK_COLUMNS)[:4], "mouse", *list(STACK_COLUMNS)[4:]]
    assert [row[: row.index(",,,")] for row in stacks[1:]] == [
        "x,nuclei,no objects,none,,0",
        "y,nuclei,ok,,'=1+2,3",
    ]
    assert checks[0].split(",") == list(CHECK_COLUMNS)
    places = [list(CHECK_COLUMNS).index(name) for name in ("haze_ratio", "count_saturated")]
    assert [[row.split(",")[i] for i in (0, *places)] for row in checks[1:]] == [
        ["x", "", ""],
        ["y", "0.5", "2"],
    ]


def test_the_table_of_stacks_is_short():
    assert len(STACK_COLUMNS) <= 22
    assert list(STACK_COLUMNS)[3] == "flags"
    assert STACK_COLUMNS.keys() & CHECK_COLUMNS.keys() == {"stack", "object"}


def test_missing_stacks_are_at_the_end(tmp_path):
    a = write(tmp_path / "a.csv", "stack,object,status,flags,count_found\nx,nuclei,ok,,1\n")
    own = {"x/nuclei": {"mouse": "1"}, "y/nuclei": {"mouse": "2"}}
    missing = {"y": {"status": "failed", "flags": "denoise: why, and how"}}
    stacks, checks, *_ = run_stacks(tmp_path, [a], own, missing=missing)
    assert [row.rstrip(",") for row in stacks[1:]] == [
        "x,nuclei,ok,,1,1",
        'y,nuclei,failed,"denoise: why, and how",2',
    ]
    assert [row.rstrip(",") for row in checks[1:]] == ["x,nuclei", "y,nuclei"]


def test_statistics_are_collected_row_by_row(tmp_path):
    header = ",".join(STATISTICS_COLUMNS)
    rows = [f"{stack},nuclei,volume_um3,um3,2,1,1,1,1,1,1,1,1,1,2.50" for stack in "ab"]
    described = [write(tmp_path / f"{row[0]}.csv", f"{header}\n{row}\n") for row in rows]
    a = write(tmp_path / "s.csv", "stack,object,status,flags\na,nuclei,ok,\n")
    *_, statistics, _ = run_stacks(tmp_path, [a], {}, statistics_tables=described)
    assert statistics == [header, *rows]


def profile(mean, focus):
    return {"profile": {"step_um": 1, "mean": mean, "signal": mean, "focus": focus}}


def write_quality(folder, stack, record):
    path = folder / stack / "quality.json"
    path.parent.mkdir()
    write_json(path, record)
    return path


def test_images_that_occur_twice_are_flagged(tmp_path):
    images = {
        "a": {"nuclei": ([1, 2], [3, 4]), "membrane": ([5, 6], [7, 8])},
        "b": {"nuclei": ([1, 2], [3, 4]), "membrane": ([5, 6], [7, 9])},
        "c": {"nuclei": ([1, 2], [3, 4]), "membrane": ([1, 2], [3, 4])},
        "d": {"nuclei": ([0, 0], [None, None]), "dye": ([5, 5], [None, 0])},
        "e": {"nuclei": ([0, 0], [None, None])},
    }
    files, lines = [], ["stack,object,status,flags"]
    for stack, channels in images.items():
        record = {name: {"row": {}, **profile(*values)} for name, values in channels.items()}
        if stack == "a":
            record["nuclei"]["row"]["flags"] = "blurred"
        files.append(write_quality(tmp_path, stack, record))
        lines += [f"{stack},nuclei,ok,{'first' if stack == 'a' else ''}", f"{stack},cells,ok,"]
    a = write(tmp_path / "s.csv", "\n".join([*lines, ""]))
    run_stacks(tmp_path, [a], {}, quality_records=files)
    rows = read_rows(tmp_path / "stacks.csv")
    flags = {(row["stack"], row["object"]): row["flags"] for row in rows if row["flags"]}
    assert flags == {
        ("a", "nuclei"): "first;same image as nuclei of b, nuclei of c, membrane of c",
        ("b", "nuclei"): "same image as nuclei of a, nuclei of c, membrane of c",
        ("c", "nuclei"): "same image as nuclei of a, nuclei of b, membrane of c",
        ("c", "cells"): "same image as nuclei of a, nuclei of b, nuclei of c",
    }
    rows = read_rows(tmp_path / "quality.csv")
    flagged = {(row["stack"], row["channel"]): row["flags"] for row in rows if row["flags"]}
    assert flagged.keys() == {(name, "nuclei") for name in "abc"} | {("c", "membrane")}
    assert flagged["a", "nuclei"] == "blurred;same image as nuclei of b, nuclei of c, membrane of c"


def test_few_copies_are_named():
    flags = flag_copies({(f"s{number}", "nuclei"): profile([1, 2], [3, 4]) for number in range(6)})
    assert len(flags) == 6
    assert (
        flags["s0", "nuclei"] == "same image as nuclei of s1, nuclei of s2, nuclei of s3 and 2 more"
    )


def test_the_quality_of_all_channels_is_collected(tmp_path):
    files = []
    for stack in ("s2", "s1"):
        row = {"flags": "only 3 different values", "noise_sd_intensity": 1 / 3}
        dye = {"row": {"zero_fraction": None}, **profile([1, 1], [None, None])}
        record = {"nuclei": {"row": row, **profile([1, len(files)], [3, 4])}, "dye": dye}
        files.append(write_quality(tmp_path, stack, record))
    a = write(tmp_path / "s.csv", "stack,object,status,flags\na,nuclei,ok,\n")
    run_stacks(tmp_path, [a], {}, quality_records=files)
    rows = list(read_rows(tmp_path / "quality.csv"))
    assert list(rows[0]) == list(QUALITY_COLUMNS)
    assert [(row["stack"], row["channel"]) for row in rows] == [
        *(("s2", "nuclei"), ("s2", "dye")),
        *(("s1", "nuclei"), ("s1", "dye")),
    ]
    assert rows[0]["flags"] == "only 3 different values"
    assert [row["noise_sd_intensity"] for row in rows] == ["0.333333333", ""] * 2


def test_column_of_the_sheet_must_not_have_the_name_of_a_result(tmp_path, tables):
    with pytest.raises(InputError, match=r"a column 'volume_um3', .* rename it"):
        run(tmp_path, tables, {"s1/cells": {"volume_um3": "1"}})
    assert not (tmp_path / "objects.csv").exists()


@pytest.mark.parametrize("name", ["=x", "＝x", "+1+1", "@a", "\tb"])
def test_names_and_cells_of_the_sheet_are_no_formulas(tmp_path, tables, name):
    text = run(tmp_path, tables, {"s1/cells": {name: name}})
    stored = f"'{name}"
    assert stored in text.splitlines()[0].split(",")
    assert text.splitlines()[3].split(",")[4] == stored
    assert name in read_columns(tmp_path / "objects.csv")
    assert [row[name] for row in read_rows(tmp_path / "objects.csv")] == ["", "", name]


def stacks_of_sizes(sizes, column="median_equivalent_diameter_um"):
    return [
        {"stack": f"s{i}", "object": "nuclei", column: size and str(size)}
        for i, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "flagged"),
    [
        ((10, 10.1, 9.9, 10.2, 4), [4]),
        ((10, 10.1, 9.9, 10.2, 16), [4]),
        ((10, 10.1, 9.9, 10.2, 14), []),  # less than a factor of 1.5
        ((5, 8, 13, 21, 34), []),  # the others differ as much
        ((10, 10.1, 9.9, 4), []),  # too few
        ((10, 10.1, 9.9, 10.2, 4, "", "0"), [4]),  # stacks without objects do not count
    ],
)
@pytest.mark.parametrize("column", ["median_equivalent_diameter_um", "density_per_mm3"])
def test_stacks_unlike_the_others_are_flagged(sizes, flagged, column):
    flags = flag_outliers(stacks_of_sizes(sizes, column), {})
    assert [i for i, flag in enumerate(flags) if flag] == flagged
    assert all(" unlike that of the other stacks: " in flags[i] for i in flagged)


def test_large_densities_are_written_without_an_exponent():
    rows = stacks_of_sizes([100000] * 4 + [7224], "density_per_mm3")
    assert flag_outliers(rows, {})[-1].endswith(": 7220, median of 5 stacks 100000")


def test_stacks_are_compared_within_their_group(tmp_path):
    rows = stacks_of_sizes([10, 10.1, 9.9, 10.2, 9.8] + [4] * 5)
    own = {f"s{i}/nuclei": {"age": "old" if i < 5 else "young"} for i in range(10)}
    groups = {key: cells["age"] for key, cells in own.items()}
    assert flag_outliers(rows, groups) == [""] * 10
    rows[0]["median_equivalent_diameter_um"] = "5"
    found = flag_outliers(rows, groups)
    assert found[0] == (
        "median diameter unlike that of the other stacks of old: 5, median of 5 stacks 9.9"
    )
    assert found[1:] == [""] * 9
    path = tmp_path / "summary.csv"
    columns = ["stack", "object", "status", "flags", "median_equivalent_diameter_um"]
    for row in rows:
        row |= {"status": "ok", "flags": "haze: much" if row["stack"] == "s0" else ""}
    write_rows(path, columns, rows)
    run_stacks(tmp_path, [path], own, group_by="age")
    flags = [row["flags"] for row in read_rows(tmp_path / "stacks.csv")]
    assert flags == [f"haze: much;{found[0]}"] + [""] * 9
