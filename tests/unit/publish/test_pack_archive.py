import json
import os
from pathlib import Path

import pytest
import yaml

from cellstack.files import fingerprints
from cellstack.files.records import write_json
from cellstack.publish.pack_archive import Contents
from cellstack.publish.private_paths import portable_sheet
from cellstack.publish.zip_file import Entry


def sheet_row(path, files=None, stack="a", channel="nuclei", column="image"):
    imported = f"results/{stack}/channels/{channel}/raw.tif"
    files = [path] if files is None else files
    return {"stack": stack, "channel": channel, "column": column, "path": path} | {
        "files": files,
        "imported": imported,
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a sheet, an image and what was recorded about it, as working directory."""
    monkeypatch.chdir(tmp_path)
    Path("a.tif").write_bytes(b"image")
    Path("stacks.csv").write_text("stack,channel,image\na,nuclei,a.tif\n")
    record = {"channel": {"index": 0}, "acquisition": {"objective": "63x"}}
    write_json("results/a/channels/nuclei/import.json", record)
    Path("results/config.yaml").write_text(f"stacks: {tmp_path}/stacks.csv\n")
    return tmp_path


def test_a_sheet_without_private_paths_is_not_changed(folder):
    assert portable_sheet("stacks.csv", ["image"]) == ("stacks.csv", Path("stacks.csv"))


def test_private_paths_of_a_sheet_are_replaced(folder):
    text = 'stack\tchannel\tImage\tnote\na\tnuclei\t/home/me/a.tif\t"/x, ""y"""\n'
    Path("s.tsv").write_text(text, encoding="utf-16")
    name, table = portable_sheet("s.tsv", ["image"])
    assert name == "s.tsv"
    assert table.decode() == (
        'stack\tchannel\tImage\tnote\na\tnuclei\tinputs/a/nuclei/image/a.tif\t"/x, ""y"""\n'
    )


def test_no_private_path_is_in_the_archive(folder):
    image = str(folder / "a.tif")
    Path("stacks.csv").write_text(f"stack,channel,image\na,nuclei,{image}\n")
    sheet = str(folder / "stacks.csv")
    config = {"stacks": sheet, "diameter_um": 8}
    study = Contents("results", config, sheet, [sheet_row(image)], include_inputs=True)
    files = [Path("results/config.yaml"), Path("results/a/channels/nuclei/import.json")]
    entries = [*study.results(files), *study.configuration([]), *study.inputs()]
    entries.append(study.readme("1.0"))
    contents = {entry.name: b"".join(entry.chunks()) for entry in entries}
    assert [name for name, content in contents.items() if str(folder).encode() in content] == []
    assert contents["inputs/a/nuclei/image/a.tif"] == b"image"
    assert contents["inputs/stacks.csv"].endswith(b"a,nuclei,inputs/a/nuclei/image/a.tif\n")
    assert yaml.safe_load(contents["config/config.yaml"]) == {
        "stacks": "inputs/stacks.csv",
        "diameter_um": 8,
    }
    assert b"folders are private" in contents["README.md"]
    assert study.paths == {image: "inputs/a/nuclei/image/a.tif", sheet: "inputs/stacks.csv"}


def test_corrections_and_their_images_are_in_the_archive(folder):
    Path("drawn").mkdir()
    Path("drawn/own.tif").write_bytes(b"own")
    other = folder.parent / f"{folder.name}-elsewhere.tif"
    other.write_bytes(b"other")
    header = "stack,object,action,z_um,y_um,x_um,image\n"
    rows = [
        "a,nuclei,redraw,1,2,3,drawn/own.tif",
        f"a,nuclei,add,4,5,6,{other}",
        "a,nuclei,delete,7,8,9,",
    ]
    Path("c.csv").write_text(header + "\n".join(rows) + "\n")
    Path("marks.csv").write_text("stack\n")
    marks = str(folder / "marks.csv")
    config = {"stacks": "stacks.csv", "corrections": "c.csv", "figures": {"marks": marks}}
    study = Contents("results", config, "stacks.csv", [sheet_row("a.tif")], include_inputs=False)
    found = {
        entry.name: b"".join(entry.chunks()) for entry in study.configuration(["c.csv", marks])
    }
    assert found["drawn/own.tif"] == b"own"
    moved = f"inputs/a/nuclei/image/{other.name}"
    assert found[moved] == b"other"
    assert found["c.csv"].decode() == (header + "\n".join(rows) + "\n").replace(str(other), moved)
    written = yaml.safe_load(found["config/config.yaml"])
    assert written["corrections"] == "c.csv"
    assert written["figures"]["marks"] in found


def test_the_record_of_an_image_does_not_contain_times(folder):
    row = sheet_row("a.tif")
    stamp = fingerprints.stamp_of(["a.tif"])
    fingerprints.write_record(["a.tif"], row["imported"], stamp)
    study = Contents("results", {}, "stacks.csv", [row], include_inputs=False)
    (entry,) = study.results([])
    assert entry.name == "results/a/channels/nuclei/.raw.tif.source.json"
    record = json.loads(entry.content)
    assert record["stamp"] == study.stamps[stamp] == record["sha256"][:16]
    assert record["same"] == []
    # in the unpacked archive, the image has the stamp of the record, whatever its time
    Path(entry.name).write_bytes(entry.content)
    os.utime("a.tif", (1, 1))
    assert fingerprints.known_stamp(["a.tif"], row["imported"]) == record["stamp"]
    Path("a.tif").write_bytes(b"other")
    assert fingerprints.known_stamp(["a.tif"], row["imported"]) != record["stamp"]


def test_an_image_of_several_channels_is_described_once(folder):
    rows = [sheet_row("a.tif"), sheet_row("a.tif", channel="membrane")]
    other = {"channel": {"index": 1}}
    write_json("results/a/channels/membrane/import.json", other)
    study = Contents("results", {}, "stacks.csv", rows, include_inputs=False)
    (image,) = study.images()
    assert image.stacks == ["a/nuclei", "a/membrane"]
    assert image.size == 5 and image.sha256 == Entry("", b"image").sha256()
    assert image.files == [] and study.inputs() == []
    assert image.acquisition == {"a/nuclei": {"objective": "63x"}, "a/membrane": {}}


def test_the_other_files_of_a_set_belong_to_an_image(folder):
    row = sheet_row("a.tif")
    Path("a.companion.ome").write_text("metadata")
    fingerprints.write_record(
        ["a.tif"], row["imported"], fingerprints.stamp_of(["a.tif"]), [Path("a.companion.ome")]
    )
    study = Contents("results", {}, "stacks.csv", [row], include_inputs=True)
    assert [entry.name for entry in study.inputs()] == ["a.tif", "a.companion.ome"]
    assert study.images()[0].size == len(b"image") + len("metadata")


def test_the_date_is_that_of_the_newest_input_or_as_given(folder):
    os.utime("a.tif", (86400 * 365, 86400 * 365))
    row = sheet_row("a.tif")
    assert Contents("results", {}, "stacks.csv", [row], include_inputs=False).date() == "1971-01-01"
    config = {"study": {"date_published": "2026-01-31"}}
    assert Contents("results", config, "stacks.csv", [row], include_inputs=False).date() == (
        "2026-01-31"
    )
