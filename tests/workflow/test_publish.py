"""What an author hands on: the archive of a run, unpacked elsewhere, and its description."""

import json
import os
import re
import shutil
import subprocess
import zipfile
from importlib import resources
from pathlib import Path
from unittest import mock

import anndata
import numpy as np
import polars as pl
import pytest
import tifffile
from ngio import open_ome_zarr_container
from numpy.testing import assert_allclose, assert_array_equal
from study import Study, jobs, write_pair

pytestmark = pytest.mark.slow
IMAGES = ("colony-nuclei.tif", "colony-truth.tif")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A study and its archive."""
    study = Study(tmp_path_factory.mktemp("published"))
    write_pair(study.folder, "colony", shape=(10, 64, 64), count=3)
    study.add("own", image=IMAGES[0], ground_truth=IMAGES[1], condition="=1+1")
    study.config["study"] = {
        "title": "Colonies <b>in</b> 3D",
        "authors": ["Jane Doe (0000-0002-1825-0097)"],
        "license": "CC-BY-4.0",
        "organism": "none, simulated",
        "annotation_method": "simulated",
        "date_published": "2026-01-31",
    }
    study.config["corrections"] = "corrections.csv"
    (study.folder / "corrections.csv").write_text(
        "stack,object,action,z_um,y_um,x_um\nown,nuclei,delete,0,0,0\n"
    )
    study.config["export"] = {"ome_zarr": 0.5, "parquet": True, "anndata": True}
    process = study.run("archive")
    assert process.returncode == 0, process.stderr[-4000:]
    return study


@pytest.fixture
def unpacked(published, tmp_path):
    """The archive in another folder, beside copies of the images with other times."""
    with zipfile.ZipFile(published.result("archive.zip")) as archive:
        archive.extractall(tmp_path)
    for number, name in enumerate(IMAGES):
        shutil.copyfile(published.folder / name, tmp_path / name)
        os.utime(tmp_path / name, (1e9 + number, 1e9 + number))
    study = Study(tmp_path, tmp_path / "workflow")
    study.rows = [row.copy() for row in published.rows]
    study.config = published.config.copy()
    return study


def test_all_files_have_their_checksums(unpacked):
    listed = (unpacked.folder / "SHA256SUMS").read_text().splitlines()
    present = {
        path.relative_to(unpacked.folder).as_posix()
        for path in unpacked.folder.rglob("*")
        if path.is_file()
    }
    names = {line.split("  ", 1)[1] for line in listed}
    assert names == present - {*IMAGES, "SHA256SUMS"}
    assert {
        "results/methods.md",
        "results/methods.bib",
        "results/own/nuclei/labels.ome.tif",
    } < names
    assert {"results/own/nuclei/corrections.csv", "corrections.csv"} < names
    assert {"results/own/scores.json", "stacks.tsv", "workflow/envs/requirements/run.txt"} < names
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=unpacked.folder).returncode == 0
    (unpacked.folder / "stacks.tsv").write_text("changed")
    assert subprocess.run(check, cwd=unpacked.folder, capture_output=True).returncode == 1


def test_nothing_has_to_be_done_where_the_archive_is_unpacked(unpacked):
    process = unpacked.run("-n")
    assert process.returncode == 0, process.stderr[-4000:]
    assert "Nothing to be done" in process.stdout and jobs(process) == {}
    unpacked.config["binarize"] = {"method": "otsu"}
    changed = jobs(unpacked.run("-n"))
    assert changed["binarize"] == 1 and changed["write_methods"] == 1
    del unpacked.config["binarize"]
    image = unpacked.folder / IMAGES[0]
    image.write_bytes(image.read_bytes()[:-1] + b"\1")
    assert jobs(unpacked.run("-n"))["import_stack"] == 1


def test_a_stack_that_was_left_out_can_be_left_out_where_the_archive_is_unpacked(unpacked):
    unpacked.add("new", image=IMAGES[0], condition="b")
    left = jobs(unpacked.run("-n", "--config", "skip_incomplete_stacks=true"))
    assert left["collect_stacks"] == left["write_index"] == 1
    assert not {"import_stack", "summarize_stack"} & left.keys()


def test_the_links_of_the_page_lead_to_files_of_the_archive(unpacked):
    page = unpacked.result("index.html")
    links = set(re.findall(r'href="([^"#:]+)"', page.read_text(encoding="utf-8")))
    assert {"quality.csv", "methods.md", "own/nuclei/objects.csv"} < links
    missing = {link for link in links if not (page.parent / link).exists()}
    assert missing == {"own/channels/nuclei/raw.tif"}  # intermediate images are left out


def test_the_archive_does_not_depend_on_when_and_where_it_was_packed(published, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(published.folder, copy, copy_function=shutil.copyfile)
    shutil.rmtree(copy / ".snakemake")
    shutil.rmtree(copy / "logs")
    (copy / "results" / "archive.zip").unlink()
    (copy / "results" / "objects.csv").unlink()
    study = Study(copy)
    study.rows, study.config = published.rows, published.config
    process = study.run("archive")
    tables = ("collect_objects", "write_parquet", "write_anndata")
    made = (*tables, "plot_volumes", "write_index", "pack_archive", "archive")
    assert jobs(process) == dict.fromkeys(made, 1)
    assert study.result("archive.zip").read_bytes() == published.result("archive.zip").read_bytes()


def test_no_folder_of_this_computer_is_in_the_archive(published, unpacked):
    private = [str(published.folder).encode(), str(Path.home()).encode() + b"/"]
    files = [path for path in unpacked.folder.rglob("*") if path.is_file()]
    found = [path for path in files if any(text in path.read_bytes() for text in private)]
    assert found == []


def test_the_crate_is_valid(unpacked):
    """By a public validator, with the JSON-LD context from a package instead of the network."""
    from rdflib.plugins.shared.jsonld import context
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    text = resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text()
    vocabulary, read_source = json.loads(text), context.source_to_json

    def read(source, *arguments, **options):
        if str(source).startswith("https://w3id.org/ro/crate/"):
            return vocabulary, None
        return read_source(source, *arguments, **options)

    answer = mock.Mock(status_code=200, text=text, content=text.encode())
    answer.headers = {"Content-Type": "application/ld+json"}
    answer.json.return_value = vocabulary
    settings = services.ValidationSettings(
        rocrate_uri=str(unpacked.folder),
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
    )

    def issues():
        with (
            mock.patch.object(context, "source_to_json", read),
            mock.patch.object(HttpRequester, "get", lambda *a, **o: answer, create=True),
        ):
            return [issue.message for issue in services.validate(settings).get_issues()]

    assert issues() == []
    path = unpacked.folder / "ro-crate-metadata.json"
    path.write_text(path.read_text().replace('"instrument"', '"tool"'))
    assert any("CreateAction" in message for message in issues())


def test_what_the_user_says_about_the_study_is_carried_along(unpacked):
    provenance = json.loads(unpacked.result("provenance.json").read_text(encoding="utf-8"))
    assert provenance["study"]["organism"] == "none, simulated"
    crate = json.loads((unpacked.folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert entities["./"]["name"] == "Colonies <b>in</b> 3D"
    assert entities["./"]["datePublished"] == "2026-01-31"
    assert entities["#study/annotation_method"]["value"] == "simulated"
    readme = (unpacked.folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(r"# Colonies \<b\>in\</b\> 3D")


def test_the_methods_of_this_run(unpacked):
    text = unpacked.result("methods.md").read_text(encoding="utf-8")
    assert "1 stack with the channel nuclei was analysed. The voxel size was 1 x 0.4 x 0.4" in text
    assert "Sizes were derived from the typical diameter of a nucleus, 8 µm." in text
    assert "The segmentation was compared with a ground truth" in text


def test_other_formats_contain_the_same_objects(unpacked):
    frame = pl.read_parquet(unpacked.result("objects.parquet"))
    data = anndata.read_h5ad(unpacked.result("nuclei.h5ad"))
    container = open_ome_zarr_container(unpacked.result("own", "image.ome.zarr"))
    labels = container.get_label("nuclei", path="0").get_as_numpy()
    assert_array_equal(labels, tifffile.imread(unpacked.result("own/nuclei/labels.ome.tif")))
    assert sorted({*labels.flat} - {0}) == frame["label"].to_list() == data.obs["label"].tolist()
    assert frame["condition"].unique().to_list() == ["=1+1"]
    # centroids along x, y and z in um, measured again in the label image
    size = container.get_label("nuclei", path="0").pixel_size
    where = np.argwhere(labels == 1).mean(axis=0) * (size.z, size.y, size.x)
    assert_allclose(data.obsm["spatial"][0], where[::-1], rtol=1e-6)
    assert set(pl.read_parquet(unpacked.result("scores.parquet"))["stack"]) == {"own"}


def test_inputs_are_in_the_archive_by_choice(published, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(published.folder, copy)
    study = Study(copy)
    study.rows = published.rows
    study.config = published.config | {"archive": {"include_inputs": True}}
    assert study.run("archive").returncode == 0
    with zipfile.ZipFile(study.result("archive.zip")) as archive:
        archive.extractall(tmp_path / "unpacked")
        assert set(IMAGES) < set(archive.namelist())
    unpacked = Study(tmp_path / "unpacked", tmp_path / "unpacked" / "workflow")
    unpacked.rows, unpacked.config = study.rows, study.config
    assert "Nothing to be done" in unpacked.run("-n").stdout
