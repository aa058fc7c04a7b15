import json
import os
import zipfile
from pathlib import Path

import pytest
import yaml

from cellstack.errors import InputError
from cellstack.files import fingerprints
from cellstack.files.records import write_json
from cellstack.publish.pack_archive import (
    DATE,
    Contents,
    Entry,
    place,
    portable_sheet,
    without_private_paths,
    write_zip,
)


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


def test_the_bytes_depend_only_on_names_and_content(tmp_path):
    archives = []
    for time in (1e9, 2e9):
        file = tmp_path / "file.txt"
        file.write_text("text" * 1000)
        file.chmod(0o600 if time > 1e9 else 0o755)
        os.utime(file, (time, time))
        entries = [Entry("b/file.txt", file), Entry("a.png", b"png"), Entry("c", b"")]
        archives.append(tmp_path / f"{time}.zip")
        write_zip(archives[-1], entries if time > 1e9 else entries[::-1])
    first, second = (path.read_bytes() for path in archives)
    assert first == second
    with zipfile.ZipFile(archives[0]) as archive:
        assert archive.namelist() == ["a.png", "b/file.txt", "c"]
        assert archive.read("b/file.txt") == b"text" * 1000
        infos = archive.infolist()
    assert {info.date_time for info in infos} == {DATE}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert infos[0].compress_size == infos[0].file_size  # a PNG is compressed already
    assert infos[1].compress_size < infos[1].file_size / 10


def test_a_file_cannot_replace_another_one_or_leave_the_archive(tmp_path):
    with pytest.raises(InputError, match=r"a\.tif: two files have this path"):
        write_zip(tmp_path / "a.zip", [Entry("a.tif", b"1"), Entry("a.tif", b"2")])
    for name in ("../a.tif", "/a.tif", "b/../../a.tif"):
        with pytest.raises(InputError, match="outside"):
            write_zip(tmp_path / "a.zip", [Entry(name, b"")])


@pytest.mark.parametrize(
    ("path", "file", "expected"),
    [
        ("images/a.tif", None, "images/a.tif"),
        ("./images//a.tif", None, "images/a.tif"),
        ("/home/me/a.tif", None, "in/a.tif"),
        ("../other/a.tif", None, "in/a.tif"),
        ("/home/me/planes", "/home/me/planes/z1.tif", "in/planes/z1.tif"),
        ("/home/me/planes/", "/home/me/planes/z1.tif", "in/planes/z1.tif"),
        ("/data/z*/p*.tif", None, "in/z*/p*.tif"),
        ("/data/z*/p*.tif", "/data/z1/p2.tif", "in/z1/p2.tif"),
        ("z*/p*.tif", "z1/p2.tif", "z1/p2.tif"),
        ("s3://bucket/a.zarr", None, "s3://bucket/a.zarr"),
    ],
)
def test_private_folders_are_replaced(path, file, expected):
    assert place(path, "in", file) == expected


def test_private_paths_of_a_configuration_are_replaced():
    config = {
        "stacks": "/home/me/stacks.csv",
        "pathvars": {"results": "/scratch/me/results", "logs": "logs"},
        "find_seeds": {"points": {"path": "/home/me/{stack}.csv"}},
        "clean_mask": {"steps": ["fill_holes", {"smooth": {"sigma_um": "0.1 d"}}]},
        "study": {"description": "/path in a text"},
    }
    assert without_private_paths(config) == config | {
        "stacks": "inputs/stacks/stacks.csv",
        "pathvars": {"logs": "logs"},
        "find_seeds": {"points": {"path": "inputs/path/{stack}.csv"}},
    }


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
