"""Where the files of the workflow are read from: its folder, or a server."""

import pytest
from study import ROOT, Study, constant, jobs, run_snakemake
from zarr_server import serve

from cellstack.files.stacks import read_stack, write_stack

SPACING = (2.0, 0.5, 0.4)


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    write_stack(tmp_path / "a.tif", constant(7), SPACING)
    study.add("a", image="a.tif")
    return study


def raw(study):
    return study.result("a", "channels", "nuclei", "raw.tif").relative_to(study.folder)


@pytest.mark.slow
def test_a_remote_workflow_is_downloaded(study):
    study.write()
    with serve(ROOT) as server:
        process = run_snakemake(
            *("--snakefile", f"{server.address}/Snakefile", "--directory", study.folder),
            *("--configfile", study.folder / "config.yaml", "--cores", "1", "-p", raw(study)),
            cwd=study.folder,
        )
        requested = {path for path, _ in server.requests}
    assert process.returncode == 0, process.stderr
    assert jobs(process) == {"import_stack": 1}
    assert {"/rules/prepare.smk", "/scripts/import_stack.py"} <= requested
    assert "/scripts/cellstack/prepare/import_stack.py" in requested
    stack, spacing = read_stack(study.folder / raw(study))
    assert (stack == 7).all()
    assert spacing == SPACING


@pytest.mark.slow
def test_files_of_a_local_workflow_are_not_copied(study, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    process = study.run("--dry-run", "--runtime-source-cache-path", copies, raw(study))
    assert process.returncode == 0, process.stderr
    assert jobs(process) == {"import_stack": 1}
    assert list(copies.rglob("prepare.smk"))  # Snakemake copies what it includes
    assert not list(copies.rglob("cellstack/__init__.py"))
