"""A copy of a study: what is unchanged does not run, and what has changed does."""

import os
import shutil

import pytest
from study import SPACING, Study, jobs, write_pair

from cellstack.files.stacks import read_stack, write_stack

pytestmark = pytest.mark.slow
MASK = "results/colony/nuclei/mask_clean.tif"
STAGES = ["import_stack", "adjust_contrast", "denoise", "binarize", "clean_mask"]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A study that ran as far as its mask."""
    study = Study(tmp_path_factory.mktemp("original"))
    write_pair(study.folder, "colony", shape=(8, 64, 64), count=2)
    z_um, y_um, x_um = SPACING
    study.add("colony", image="colony-nuclei.tif", z_um=z_um, y_um=y_um, x_um=x_um)
    process = study.run(MASK)
    assert process.returncode == 0, process.stderr[-4000:]
    assert list(jobs(process)) == STAGES
    return study


def copy(original, folder, with_records):
    """Copy a study as `cp -r` does: all files get new times, in no particular order."""
    shutil.copytree(original.folder, folder, copy_function=shutil.copyfile)
    for age, path in enumerate(sorted(folder.rglob("*.tif"))):
        os.utime(path, (2e9 - age, 2e9 - age))
    if not with_records:
        shutil.rmtree(folder / ".snakemake")
    study = Study(folder)
    study.rows = [row.copy() for row in original.rows]
    study.config |= original.config
    return study


@pytest.mark.parametrize("with_records", [False, True])
def test_only_what_depends_on_a_changed_setting_runs(original, tmp_path, with_records):
    study = copy(original, tmp_path / "copy", with_records)
    process = study.run("-n", MASK)
    assert process.returncode == 0, process.stderr
    assert jobs(process) == {}
    assert "results was copied, or .snakemake was removed" in process.stderr
    study.config["binarize"] = {"method": "otsu"}
    process = study.run(MASK)
    assert process.returncode == 0, process.stderr[-4000:]
    assert list(jobs(process)) == ["binarize", "clean_mask"]
    assert "was copied" not in process.stderr


def test_a_changed_image_is_imported(original, tmp_path):
    study = copy(original, tmp_path / "copy", with_records=False)
    image = tmp_path / "copy" / "colony-nuclei.tif"
    size = image.stat().st_size
    write_stack(image, read_stack(image)[0][::-1], SPACING)
    assert image.stat().st_size == size
    os.utime(image, (1e9, 1e9))
    assert list(jobs(study.run("-n", MASK))) == STAGES


def test_swapped_voxel_sizes_are_noticed(original):
    study = Study(original.folder)
    study.rows = [original.rows[0] | {"z_um": SPACING[1], "y_um": SPACING[0]}]
    assert list(jobs(study.run("-n", MASK))) == STAGES
