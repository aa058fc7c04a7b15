"""With `keep_intermediates: false` the images between raw stack and labels are gone at the end, and all else is as with them."""

import shutil

import pytest
from study import Study, jobs, write_pair

KEPT = {"raw.tif", "split.tif", "truth.tif", "labels.ome.tif"}


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The same study with all images kept, and without."""
    studies = {}
    for keeps in (True, False):
        study = studies[keeps] = Study(tmp_path_factory.mktemp("keeps" if keeps else "clears"))
        write_pair(study.folder, "colony")
        study.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif")
        study.add("colony", "membrane", image="colony-membrane.tif")
        study.config["keep_intermediates"] = keeps
        process = study.run(cores=2)
        assert process.returncode == 0, process.stderr[-4000:]
    return studies


def test_only_raw_stacks_and_labels_stay_and_nothing_else_differs(studies):
    kept, cleared = (studies[keeps].digest() for keeps in (True, False))
    gone = {path for path in kept if path.endswith(".tif") and path.rpartition("/")[2] not in KEPT}
    assert len(gone) >= 15
    assert cleared.keys() == kept.keys() - gone
    assert {path for path in cleared if cleared[path] != kept[path]} == {"config.yaml"}


def test_later_runs_make_what_is_missing_for_what_is_asked(studies, tmp_path):
    study = Study(tmp_path / "copy")
    shutil.copytree(studies[False].folder, study.folder)
    study.rows, study.config = studies[False].rows, studies[False].config.copy()
    assert not jobs(study.run("--dry-run"))
    process = study.run("crops")
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process).keys() == {"crop_objects", "crops"}
    assert list(study.result("colony", "nuclei", "crops").iterdir())
    study.config["outline_objects"] = {"method": "none"}
    planned = jobs(study.run("--dry-run"))
    assert {"adjust_contrast", "outline_objects", "measure_objects"} <= planned.keys()
