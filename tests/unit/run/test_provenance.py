import hashlib
import re
import subprocess

import numpy as np
import pytest
from study import ROOT

import write_provenance as script
from cellstack import __version__
from cellstack.files import fingerprints
from cellstack.files.records import read_json, write_json
from cellstack.run.provenance import PACKAGES, commit_of, software_versions


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_says_whether_files_were_changed(tmp_path):
    assert commit_of(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert commit_of(tmp_path) is None
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    git(tmp_path, "tag", "v1", "-m", "a tag")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert commit_of(tmp_path) == commit
    (tmp_path / "file").write_text("b")
    assert commit_of(tmp_path) == f"{commit}-dirty"
    (tmp_path / "folder").mkdir()
    assert commit_of(tmp_path / "folder") is None


def test_versions_are_those_of_the_direct_requirements():
    versions = software_versions(ROOT)
    assert versions["cellstack"] == __version__
    assert versions["packages"]["numpy"] == np.__version__
    direct = (ROOT / "envs" / "requirements" / "run.in").read_text()
    names = set(re.findall(r"^([a-z][a-z0-9-]*)", direct, re.MULTILINE))
    # these do not affect results
    assert names - set(PACKAGES) == {"jsonschema", "natsort", "pooch", "pygments", "pyyaml"}


@pytest.mark.parametrize("is_external", [True, False])
@pytest.mark.parametrize("folder", ["", "/home/me/"])  # which is private
def test_images_are_recorded_with_a_hash_of_their_content(tmp_path, is_external, folder):
    raw, image = tmp_path / "raw.tif", tmp_path / "a.tif"
    image.write_bytes(b"some bytes")
    if is_external:
        fingerprints.write_record([image], raw, fingerprints.stamp_of([image]))
    record = {"format": "TIFF", "scene": None, "time": 3, "channel": {"index": 1}}
    write_json(tmp_path / "import.json", record)
    for _ in range(2):  # the same content each time
        script.main(
            provenance=tmp_path / "provenance.json",
            raw=[raw],
            records=[tmp_path / "import.json"],
            images=[{"stack": "s", "channel": "nuclei", "image": f"{folder}a.tif"}],
            software={"cellstack": "1"},
            study={"organism": "Mus musculus"},
        )
    digest = hashlib.sha256(b"some bytes").hexdigest()
    assert read_json(tmp_path / "provenance.json") == {
        "cellstack": "1",
        "study": {"organism": "Mus musculus"},
        "images": [
            {"stack": "s", "channel": "nuclei", "image": "a.tif"}
            | {"sha256": digest if is_external else None, "bytes": 10 if is_external else None}
            | {"format": "TIFF", "scene": None, "time": 3, "channel_index": 1}
        ],
    }
