"""Runs on Slurm: the same results as on one machine, also after lack of memory, lack of time, a lost node, Ctrl-C and kill -9."""

import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest
import yaml
from slurm import SPARE, slurm
from study import ROOT, Study, copy_workflow, wait_for

CONTRAST = [f"results/colony{number}/nuclei/contrast.tif" for number in range(3)]
DENOISED = [path.replace("contrast", "denoised") for path in CONTRAST]


def locally(study):
    """Give the bytes of an undisturbed run of the same study on this machine."""
    other = Study(study.folder / "local", study.workflow)
    other.folder.mkdir()
    other.config = study.config
    other.rows = [{column: absolute(study, cell) for column, cell in row.items()} for row in study.rows]
    process = other.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    # the two files that name the images name them by other paths
    return {name: content for name, content in other.digest().items() if not name.endswith(("import.json", "config.yaml"))}


def absolute(study, cell):
    return study.folder / cell if str(cell).endswith(".tif") and not str(cell).startswith("resources") else cell


def remotely(study):
    return {name: content for name, content in study.digest().items() if not name.endswith(("import.json", "config.yaml"))}


def slowed(study, seconds):
    """Let each job of denoise wait, in a copy of the workflow."""
    study.workflow = copy_workflow(study.folder / "workflow")
    script = study.workflow / "scripts" / "denoise.py"
    script.write_text(script.read_text().replace("job.run(main)", f"import time\n\ntime.sleep({seconds})\njob.run(main)"))


def test_the_demo_and_real_stacks_as_on_one_machine(cluster, tmp_path, request):
    study = Study(tmp_path)
    demo = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study.config |= {"diameter_um": demo["diameter_um"], "simulate_stack": demo["simulate_stack"]}
    for name in demo["simulate_stack"]:
        place = f"resources/simulated/{name}"
        study.add(name, image=f"{place}/image.ome.tif", index="nuclei", truth=f"{place}/nuclei.ome.tif")
        study.add(name, "membrane", image=f"{place}/image.ome.tif", index="membrane")
    try:
        data = request.getfixturevalue("data")
    except pytest.skip.Exception as absent:
        print(f"without real stacks: {absent}")
    else:
        tutorial, ovule = data / "tutorial", data / "ovule"
        study.add("tutorial", image=tutorial / "nuclei.tif", truth=tutorial / "nuclei_reference_labels.tif", diameter_um=12)
        study.add("ovule", image=ovule / "nuclei.tif", truth=ovule / "nuclei_truth.tif", diameter_um=3.2)
    said = cluster.run(study, extra="'--nice=0'")
    stacks = len({row["stack"] for row in study.rows})
    assert f"cellstack: {stacks} of {stacks} stacks done" in said
    states = cluster.states(study)
    assert set(states) == {"COMPLETED"}
    assert len(states) == stacks + len(demo["simulate_stack"])  # all stages of a stack were one job
    assert remotely(study) == locally(study)


def test_memory_that_did_not_suffice_is_doubled(cluster, study):
    assert study.run(*CONTRAST).returncode == 0
    cluster.run(study, "--set-resources", "denoise:mem_mb=100 * attempt**2", "--", *DENOISED)
    states = cluster.states(study)
    assert states.count("COMPLETED") == 3
    assert len(states) > 3
    cluster.run(study)
    assert remotely(study) == locally(study)


def test_time_that_did_not_suffice_is_doubled(cluster, study):
    slowed(study, 75)
    assert study.run(CONTRAST[0]).returncode == 0
    cluster.run(study, "--set-resources", "denoise:runtime=attempt", "--", DENOISED[0])
    assert cluster.states(study) == ["TIMEOUT", "COMPLETED"]
    slowed_log = (study.folder / "logs" / "colony0" / "nuclei" / "denoise.log").read_text()
    assert "ERROR" not in slowed_log  # it is of the last try


def test_the_jobs_of_a_lost_node_are_done_elsewhere(cluster, study):
    slowed(study, 20)
    assert study.run(*CONTRAST, cores=2).returncode == 0
    first_there = f"'--nodelist={SPARE}' if attempt == 1 else '--exclude={SPARE}'"
    lost = DENOISED[:2]  # as many as the node has cores
    process = cluster.start(study, "--set-resources", f"denoise:slurm_extra={first_there}", "--", *lost)
    try:
        wait_for(lambda: len(cluster.jobs(study, "RUNNING")) >= 2, 600)
        time.sleep(8)  # they are under way
        cluster.node("kill", SPARE)
        assert process.wait(timeout=1500) == 0, (study.folder / "output.txt").read_text()[-4000:]
    finally:
        cluster.node("start", SPARE)
    assert "NODE_FAIL" in cluster.states(study)
    wait_for(lambda: SPARE in slurm("sinfo", "-h", "-N", "-t", "idle,mix,alloc", "-o", "%N"))
    written = {path: (study.folder / path).stat().st_mtime_ns for path in lost}
    time.sleep(30)
    assert cluster.jobs(study) == []
    assert {path: (study.folder / path).stat().st_mtime_ns for path in lost} == written  # nobody came back to write
    assert not list(study.folder.rglob(".partial*"))
    study.run(cores=2)
    assert remotely(study) == locally(study)


@pytest.mark.parametrize("fault", ["Ctrl-C", "kill -9"])
def test_snakemake_itself_ends(cluster, study, fault):
    slowed(study, 20)
    process = cluster.start(study)
    wait_for(lambda: (study.folder / CONTRAST[0]).exists(), 600)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT if fault == "Ctrl-C" else signal.SIGKILL)
    if fault == "Ctrl-C":  # Snakemake can miss the first one, as docs/cluster.md says; a person presses again
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=40)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=300) != 0
    if fault == "kill -9":  # as docs/cluster.md says: its jobs are still there; end them, and unlock the folder
        numbers = cluster.jobs(study)
        assert numbers
        slurm("scancel", *numbers)
        assert "LockException" in study.run().stderr
        assert study.run("--unlock").returncode == 0
    wait_for(lambda: cluster.jobs(study) == [])
    said = cluster.run(study)
    assert "3 of 3 stacks done" in said
    assert remotely(study) == locally(study)
    assert not list(study.folder.rglob(".partial*"))
