import json
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest
from pages import Reader, write_imported
from runs import (
    JPEG,
    column_rows,
    failed_row,
    many_stacks,
    pictures_of,
    quality_of,
    run_of,
    stack_row,
    statistics_rows,
)

import write_index as script
from cellstack.config.reasons import OTHER_DIAMETER
from cellstack.files.records import write_json
from cellstack.files.tables import write_rows
from cellstack.pages import stack_details
from cellstack.pages import write_index as module
from cellstack.pages.index_run import FURTHER_TABLES, sort_worst_first, state_of
from cellstack.pages.write_index import fit_on_page, write_index

MARKS = "\u202e\u2067\u200f"
HOSTILE = f"""</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;"'{MARKS}"""


def data_of(page):
    """Return what the script of the page reads."""
    return json.loads(
        re.search('<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


def details_of(page, number=0):
    return re.search(f'<template id="details-{number}">(.*?)</template>', page, re.DOTALL)[1]


def counts_of(page):
    """Return the number of stacks by state."""
    found = re.findall(r"<b>(\d+)</b> (\w+)</button>", page)
    return {state: int(count) for count, state in found}


def table_of(page):
    """Return the texts of each row of the table of stacks."""
    rows = re.findall("<tr data-row=.*?</tr>", page)
    return [
        ["".join(Reader(cell).texts) for cell in re.findall("<td.*?</td>", row)] for row in rows
    ]


@pytest.mark.parametrize(
    ("applied", "missing", "text"),
    [
        ("0", "0", "1 flagged. Median"),
        ("2", "0", "1 flagged, 2 corrections by hand applied. Median"),
        ("2", "3", "1 flagged, 2 of 5 corrections by hand applied. Median"),
        ("2", "1", "1 flagged, 2 of 3 corrections by hand applied. Median"),
    ],
)
def test_corrections_by_hand_are_counted(applied, missing, text):
    counts = {"count_corrected": "0", "count_corrections_not_applied": missing}
    counts["count_corrections"] = str(int(applied) + int(missing))
    row = stack_row("a", count_flagged="1", **counts)
    assert text in details_of(write_index(run_of([row])))


def test_the_worst_stacks_come_first():
    rows = [
        stack_row("good"),
        stack_row("two", flags="haze;saturated", count_flagged="0"),
        stack_row("size", flags=f"{OTHER_DIAMETER}: the median is 3 um", count_flagged="0"),
        stack_row("empty", status="no objects", flags="no objects: why"),
        stack_row("one", flags="haze", count_flagged="8"),
        failed_row("idle", status="not run", flags="not run"),
        stack_row("better", count_flagged="1"),
        failed_row("broken"),
    ]
    order = ["broken", "idle", "empty", "size", "two", "one", "good", "better"]
    assert [row["stack"] for row in sort_worst_first(rows)] == order
    page = write_index(run_of(rows))
    shown = table_of(page)
    assert [cells[1] for cells in shown] == order
    assert [cells[3] for cells in shown] == ["failed"] * 2 + ["flagged"] * 4 + ["ok"] * 2
    assert [cells[4] for cells in shown] == [
        "–",
        "–",
        "1.25",
        "10.00",
        "2.00",
        "1.50",
        "0.25",
        "0.06",
    ]
    assert re.findall(r'data-name="score" data-sort="(.*?)"', page) == [str(-i) for i in range(8)]
    assert counts_of(page) == {"ok": 2, "flagged": 4, "failed": 2}


def test_other_pages_of_a_stack_are_linked_if_they_exist():
    rows = [stack_row("a"), stack_row("b")]
    page = write_index(run_of(rows, pages={"b": ["explore.html", "gallery/index.html"]}))
    assert re.findall(r'href="([^"]*(?:explore|gallery)[^"]*)"', page) == [
        "b/explore.html",
        "b/gallery/index.html",
    ]


def test_further_tables_are_linked_if_there_are_some():
    links = [f'<a href="{name}">' for name in FURTHER_TABLES]
    page = write_index(run_of([stack_row("a")]))
    assert not [link for link in links if link in page]
    page = write_index(run_of([stack_row("a")], further=["scores.csv", "spots.csv"]))
    assert [name for name, link in zip(FURTHER_TABLES, links, strict=True) if link in page] == [
        "spots.csv",
        "scores.csv",
    ]


def test_a_stack_counts_as_its_worst_kind_of_object():
    rows = [stack_row("a"), stack_row("a", "cells", flags="haze"), stack_row("b")]
    page = write_index(run_of(rows))
    assert counts_of(page) == {"ok": 1, "flagged": 1, "failed": 0}
    assert "<h1>Run of 2 stacks</h1>" in page
    assert data_of(page)["kinds"] == ["nuclei", "cells"]


def test_a_failed_stack_has_the_line_that_says_why():
    row = failed_row("broken")
    page = write_index(run_of([row, stack_row("a")]))
    (cells,) = (each for each in table_of(page) if each[1] == "broken")
    assert cells[5] == row["flags"]  # in one piece, although it contains a semicolon
    assert cells[6:] == ["–"] * 4
    details = details_of(page)
    assert row["flags"] in "".join(Reader(details).texts)
    assert "broken/nuclei" not in details  # it has no files


def test_the_details_of_a_stack():
    cells = {"flags": "haze", "condition": "control", "cut_by_faces": "first row 2;last plane 1"}
    rows = [stack_row("a", **cells), stack_row("b")]
    changed = {"denoise.method": ["median", "gaussian"], "binarize.level": [0.5, None]}
    settings = [{"object": "nuclei", "preset": "x", "stacks": ["a"], "changed": changed}]
    pictures = {("a", "nuclei"): pictures_of(rows[0], 2)}
    run = run_of(rows, settings=settings, pictures=pictures, user_columns=["condition"])
    page = write_index(run)
    reader = Reader(details_of(page))
    texts = " ".join(reader.texts)
    for part in (
        "20 found, 16 measured, 4 flagged",
        "9.88 (10 given)",
        "Objects at faces of the stack: first row 2, last plane 1.",
        "haze",
        "control",
    ):
        assert part in texts
    assert [text for text in ("median", "gaussian", "denoise.method", "null") if text in texts]
    alternatives = [image["alt"] for image in reader.attributes_of("img")]
    assert alternatives[:2] == [f"nuclei {i} in three planes: xy, xz and yz" for i in (1, 2)]
    assert "low contrast; irregular" in texts
    assert "(picture 12.3 µm wide)" in texts
    links = [link for link in reader.links if not link.startswith("data:")]
    assert links == [
        "a/nuclei/labels.ome.tif",
        "a/nuclei/segmentation.tif",
        "a/nuclei/objects.csv",
        "a/nuclei/selection.csv",
        "a/channels/nuclei/raw.tif",
        "a/figures/nuclei_planes.png",
    ]
    other = " ".join(Reader(details_of(page, 1)).texts)
    assert "All settings of the stages have their defaults." in other


def test_advice_is_in_the_details_only():
    page = write_index(run_of([stack_row("a", flags="haze (a b);2 of 3 (x) are dim (c)")]))
    (cells,) = table_of(page)
    assert cells[5] == "haze2 of 3 (x) are dim"
    assert {"haze (a b)", "2 of 3 (x) are dim (c)"} <= set(Reader(details_of(page)).texts)


def test_the_diameters_of_a_run():
    rows = [
        stack_row("a", diameter_um="4"),
        stack_row("b", diameter_um="12.345"),
        stack_row("c", "cells", diameter_um="14", diameter_source="from nuclei"),
        failed_row("d"),
    ]
    page = write_index(run_of(rows))
    assert "<dd>nuclei 4 to 12.3 µm (given), cells 14 µm (from nuclei)</dd>" in page
    assert "<dd>not known</dd>" in write_index(run_of([failed_row("d")]))


def test_image_quality_of_each_channel():
    quality = {
        "a": quality_of(["<dye>", "nuclei"], flags="uneven background (see x);a < b", planes=3)
    }
    channels = {"a": ["nuclei", "<dye>"]}
    page = write_index(run_of([stack_row("a")], quality=quality, channels=channels))
    details = details_of(page)
    charts = [ElementTree.fromstring(svg) for svg in re.findall("<svg.*?</svg>", details, re.S)]
    assert [chart.get("aria-label") for chart in charts] == [
        f"Mean intensity and signal of channel {channel} over z" for channel in ("nuclei", "<dye>")
    ]
    names = [title.text for title in charts[0].iter("title")]
    assert names == ["mean intensity", "signal", "twice the noise"]
    lines = [line.get("points").split() for line in charts[0].iter("polyline")]
    assert [len(line) for line in lines] == [3, 2, 2]  # a plane without data has no signal
    texts = Reader(details).texts
    assert texts.count("uneven background (see x)") == texts.count("a < b") == 2
    assert texts.count("1.25") == 16
    (column,) = (each for each in data_of(page)["columns"] if each["name"] == "noise_sd_intensity")
    assert (column["unit"], column["values"]) == ("raw value", [1.25])


def test_a_profile_of_many_planes_is_thinned_out():
    quality = {"a": quality_of(planes=stack_details.MAX_PLANES + 1)}
    details = details_of(write_index(run_of([stack_row("a")], quality=quality)))
    points = re.search('<polyline points="(.*?)"', details)[1].split()
    assert len(points) == stack_details.MAX_PLANES // 2 + 1


def test_columns_to_plot_are_numeric_and_have_units():
    rows = [stack_row("a", haze_ratio="0.123456789"), failed_row("b")]
    data = data_of(write_index(run_of(rows)))
    columns = {column["name"]: column for column in data["columns"]}
    assert columns["median_volume_um3"]["unit"] == "um3"
    assert columns["haze_ratio"]["values"] == [None, 0.12346]  # the failed stack comes first
    assert columns["sphericity"]["table"] == "objects.csv, median"
    assert columns["mean_intensity_nuclei"]["unit"] == "raw value"
    assert not columns.keys() & {"flags", "status", "diameter_um", "voxel_size_z_um"}
    names = [column["name"] for column in data["columns"]]
    assert [names[i] for i in data["defaults"]["nuclei"]] == [
        "count_found",
        "median_volume_um3",
        "mean_intensity_nuclei",
        "sphericity",
    ]


def test_infinite_values_are_not_plotted():
    rows = [stack_row("a", haze_ratio="inf"), stack_row("b", haze_ratio="0.5")]
    data = data_of(write_index(run_of(rows)))
    (column,) = (each for each in data["columns"] if each["name"] == "haze_ratio")
    assert column["values"] == [None, 0.5]


@pytest.mark.parametrize("user_columns", [[], ["condition"], ["condition", "mouse"]])
def test_groups_are_the_columns_of_the_sheet(user_columns):
    cells = dict.fromkeys(user_columns, "x")
    page = write_index(run_of([stack_row("a", **cells)], user_columns=user_columns))
    assert [group["name"] for group in data_of(page)["groups"]] == user_columns
    chosen = re.search('<select id="group">(.*?)</select>', page)[1]
    selected = "condition" if user_columns else "no groups"
    assert f"<option selected>{selected}</option>" in chosen


def test_text_of_the_user_is_text():
    row = stack_row("a", flags=HOSTILE.replace(";", ""), **{HOSTILE: HOSTILE})
    image = {"stack": "a", "channel": "nuclei", "image": HOSTILE, "sha256": None}
    settings = {"object": "nuclei", "preset": "p", "stacks": ["a"], "changed": {"k": [HOSTILE, 1]}}
    run = run_of(
        [row],
        user_columns=[HOSTILE],
        facts={"Sheet": HOSTILE},
        settings=[settings],
        provenance=dict(run_of([]).provenance) | {"images": [image]},
    )
    page = write_index(run)
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img src=x" not in page
    assert data_of(page)["groups"] == [{"name": HOSTILE, "values": [HOSTILE]}]
    texts = Reader(re.sub("<script.*?</script>", "", page, flags=re.DOTALL)).texts
    # sheet, group, head and cell of the table, name and value in the details, setting, image
    assert texts.count(HOSTILE) == 8


def test_pictures_that_do_not_fit_are_left_out(monkeypatch):
    rows = [stack_row("worse", flags="haze"), stack_row("better")]
    pictures = {(row["stack"], "nuclei"): pictures_of(row, 3) for row in rows}
    assert fit_on_page(pictures, 0)
    monkeypatch.setattr(module, "MAX_EMBEDDED", 6 * len(JPEG))
    assert not fit_on_page(pictures, 0)
    figures = {"worse/figures/nuclei_planes.png": ""}
    page = write_index(run_of(rows, pictures=pictures, figures=figures))
    assert [f"{name} with outlines" in page for name in ("of worse", "of better")] == [True, True]
    worse, better = details_of(page, 0), details_of(page, 1)
    assert (worse.count(JPEG), better.count(JPEG)) == (3, 1)
    assert "Flagged nuclei, the worst first: 1 of 3" in better
    assert '<a href="worse/figures/nuclei_planes.png">' in worse
    assert "data:image/png" not in page


@pytest.mark.slow
def test_500_stacks_fit_into_an_e_mail():
    run = many_stacks(500)
    page = write_index(run)
    assert len(page.encode()) < 22e6  # of 25 MB, since texts can be longer
    assert page == write_index(run)
    assert page.count("<tr data-row=") == 1000
    assert page.count(" with outlines") == len(run.pictures) == 980


def test_an_empty_table_of_stacks_gives_a_page():
    page = write_index(run_of([]))
    assert "<h1>Run of 0 stacks</h1>" in page
    assert data_of(page)["rows"] == []


@pytest.fixture
def arguments(tmp_path):
    """Arguments of the script for two stacks, one of them failed."""
    results = tmp_path / "results"
    rows = [stack_row("a"), failed_row("b")]
    write_rows_of(results / "stacks.csv", rows)
    write_rows_of(results / "checks.csv", [{"stack": row["stack"]} for row in rows])
    write_rows_of(results / "statistics.csv", statistics_rows(rows))
    write_rows_of(results / "columns.csv", column_rows())
    imported = write_imported(tmp_path / "other", ["a"])
    write_json(results / "provenance.json", imported["software"] | {"images": []})
    (results / "a" / "nuclei").mkdir(parents=True)
    write_json(results / "a" / "nuclei" / "pictures.json", pictures_of(rows[0]))
    write_json(results / "a" / "quality.json", quality_of())
    (results / "a" / "planes.png").write_bytes(b"ABC")
    (tmp_path / "image.tif").touch()
    return {
        **{name: results / f"{name}.csv" for name in ("stacks", "checks", "statistics", "columns")},
        "provenance": results / "provenance.json",
        "quality": [results / "a" / "quality.json"],
        "pictures": [results / "a" / "nuclei" / "pictures.json"],
        "figures": [results / "a" / "planes.png"],
        "index": results / "index.html",
        "sheet": "stacks.csv",
        "images": [str(tmp_path / "image.tif"), str(tmp_path / "removed.tif")],
        "channels": {"a": ["nuclei"]},
        "user_columns": [],
        "settings": [],
        "note": "simulated data",
        "further": ["scores.csv"],
        "pages": {},
    }


def write_rows_of(path, rows):
    path.parent.mkdir(exist_ok=True)
    write_rows(path, list(rows[0]), rows)


def test_script(arguments, tmp_path):
    os.utime(tmp_path / "image.tif", (1_000_000_000, 1_000_000_000))
    script.main(**arguments)
    page = arguments["index"].read_text()
    facts = " ".join(Reader(page).texts[:40])
    for part in ("cellstack 1.2.3, commit 0123abc-dirty", "nuclei 10 µm (given)", "2001-09-09"):
        assert part in facts
    assert "simulated data" in facts
    assert "data:image/png;base64,QUJD" in details_of(page, 1)
    script.main(**arguments)
    assert arguments["index"].read_text() == page
    script.main(**arguments | {"sheet": "/home/me/study.csv"})
    page = arguments["index"].read_text()
    assert "<dd>study.csv</dd>" in page
    assert "/home/me" not in page


def test_the_script_refers_to_figures_that_do_not_fit(arguments, monkeypatch):
    monkeypatch.setattr(module, "MAX_EMBEDDED", 3)
    script.main(**arguments)
    page = arguments["index"].read_text()
    assert "data:image/png" not in page
    assert 'href="a/planes.png"' in details_of(page, 1)


def test_the_date_is_that_of_the_newest_plane(tmp_path):
    for i, name in enumerate(("a.tif", "b.tif")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000_000_000 + 86400 * i,) * 2)
    assert script.newest_date([str(tmp_path)]) == "2001-09-10"
    assert script.newest_date([]) == ""


def test_states():
    assert state_of(stack_row("a")) == "ok"
    assert state_of(stack_row("a", status="no objects")) == "flagged"


def group_row(**cells):
    row = {"object": "nuclei", "column": "volume_um3", "unit": "um3", "warnings": ""}
    row |= {"group_1": "control", "group_2": "drug", "count_units_1": "3", "count_units_2": "4"}
    row |= {"mean_1": "500.4", "mean_2": "530", "difference": "29.6", "p_value": "0.04321"}
    row |= {"difference_low": "4", "difference_high": "51.06", "p_corrected": "0.0864"}
    row |= {"confidence": "0.9"}
    return row | cells


def test_the_comparison_of_groups():
    untested = dict.fromkeys(("difference_low", "difference_high", "p_value", "p_corrected"), "")
    untested |= {"group_2": HOSTILE, "warnings": "fewer than three units;outlier"}
    page = write_index(run_of([stack_row("a")], groups=[group_row(), group_row(**untested)]))
    section = re.search('<h2 id="groups">.*?</section>', page, re.DOTALL)[0]
    first, second = re.findall("<tr><td.*?</tr>", section, re.DOTALL)
    cells = re.findall("<td[^>]*>(.*?)</td>", first)
    assert cells[2:] == [
        *("control, drug", "3, 4", "500, 530", "29.6 um3", "4 to 51.1", "0.0432", "0.0864", "")
    ]
    assert "<li>fewer than three units</li><li>outlier</li>" in second
    assert '<th scope="col">90 % interval</th>' in section
    assert second.count("<td>–</td>") == 3 and HOSTILE not in page
    assert '<a href="groups.csv">' in page and '<a href="#groups">' in page
    empty = untested | {"difference": "", "mean_2": "", "count_units_2": "0", "confidence": ""}
    page = write_index(run_of([stack_row("a")], groups=[group_row(**empty)]))
    assert "<td>500, –</td><td>–</td><td>–</td>" in page and '<th scope="col">interval' in page
    many = write_index(run_of([stack_row("a")], groups=[group_row()] * 70))
    assert "<p>10 more rows in the table.</p>" in many
    without = write_index(run_of([stack_row("a")]))
    assert "groups.csv" not in without and 'id="groups"' not in without
