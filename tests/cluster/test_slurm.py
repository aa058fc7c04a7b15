"""Runs on Slurm give the same results as on one machine.

This also holds after lack of memory or time, the loss of a node, Ctrl-C and kill -9.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest
import yaml
from slurm import SPARE, slurm
from study import ROOT, Study, copy_workflow, wait_for

CONTRAST = [f"results/colony{number}/channels/nuclei/contrast.tif" for number in range(3)]
DENOISED = [path.replace("contrast", "denoised") for path in CONTRAST]
FILES_WITH_PATHS = ("import.json", "config.yaml")  # name the images, which are in other folders


def files_on_one_machine(study):
    """Run the same study on this machine without disturbances, and return its files."""
    other = Study(study.folder / "local", study.workflow)
    other.folder.mkdir()
    other.config = study.config
    for row in study.rows:
        cells = {column: with_folder(study, cell) for column, cell in row.items()}
        other.rows.append(cells)
    process = other.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return files_of(other)


def with_folder(study, cell):
    is_image = str(cell).endswith(".tif") and not str(cell).startswith("resources")
    return study.folder / cell if is_image else cell


def files_of(study):
    digest = study.digest()
    return {name: digest[name] for name in digest if not name.endswith(FILES_WITH_PATHS)}


def slow_down(study, seconds):
    """Make each job of denoise wait, in a copy of the workflow."""
    study.workflow = copy_workflow(study.folder / "workflow")
    script = study.workflow / "scripts" / "denoise.py"
    slow = f"import time\n\ntime.sleep({seconds})\njob.run(main)"
    script.write_text(script.read_text().replace("job.run(main)", slow))


def add_simulated_stacks(study):
    """Add the stacks of the demo."""
    demo = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study.config |= {"diameter_um": demo["diameter_um"], "simulate_stack": demo["simulate_stack"]}
    for name in demo["simulate_stack"]:
        folder = f"resources/simulated/{name}"
        image, ground_truth = f"{folder}/image.ome.tif", f"{folder}/nuclei.ome.tif"
        study.add(name, image=image, channel_index="nuclei", ground_truth=ground_truth)
        study.add(name, "membrane", image=image, channel_index="membrane")
    return len(demo["simulate_stack"])


def add_real_stacks(study, data):
    study.add(
        "tutorial",
        image=data / "tutorial" / "nuclei.tif",
        ground_truth=data / "tutorial" / "nuclei_reference_labels.tif",
        diameter_um=12,
    )
    study.add(
        "ovule",
        image=data / "ovule" / "nuclei.tif",
        ground_truth=data / "ovule" / "nuclei_truth.tif",
        diameter_um=3.2,
    )


def test_the_demo_and_real_stacks_as_on_one_machine(cluster, tmp_path, request):
    study = Study(tmp_path)
    simulations = add_simulated_stacks(study)
    try:
        data = request.getfixturevalue("data")
    except pytest.skip.Exception as reason:
        print(f"without real stacks: {reason}")
    else:
        add_real_stacks(study, data)
    output = cluster.run(study, extra="'--nice=0'")
    stacks = len({row["stack"] for row in study.rows})
    assert f"cellstack: {stacks} of {stacks} stacks done" in output
    states = cluster.states(study)
    assert set(states) == {"COMPLETED"}
    assert len(states) == stacks + simulations  # all stages of a stack were one job
    assert files_of(study) == files_on_one_machine(study)


def test_memory_that_did_not_suffice_is_doubled(cluster, study):
    assert study.run(*CONTRAST).returncode == 0
    cluster.run(study, "--set-resources", "denoise:mem_mb=100 * attempt**2", "--", *DENOISED)
    states = cluster.states(study)
    assert states.count("COMPLETED") == 3
    assert len(states) > 3
    cluster.run(study)
    assert files_of(study) == files_on_one_machine(study)


def test_time_that_did_not_suffice_is_doubled(cluster, study):
    slow_down(study, 75)
    assert study.run(CONTRAST[0]).returncode == 0
    cluster.run(study, "--set-resources", "denoise:runtime=attempt", "--", DENOISED[0])
    assert cluster.states(study) == ["TIMEOUT", "COMPLETED"]
    log = study.log("colony0", "channels", "nuclei", "denoise.log").read_text()
    assert "ERROR" not in log  # it is that of the last attempt


def test_the_jobs_of_a_lost_node_are_done_elsewhere(cluster, study):
    slow_down(study, 20)
    assert study.run(*CONTRAST, cores=2).returncode == 0
    first_there = f"'--nodelist={SPARE}' if attempt == 1 else '--exclude={SPARE}'"
    lost = DENOISED[:2]  # as many as the node has cores
    resources = f"denoise:slurm_extra={first_there}"
    process = cluster.start(study, "--set-resources", resources, "--", *lost)
    try:
        wait_for(lambda: len(cluster.jobs(study, "RUNNING")) >= 2, 600)
        time.sleep(8)  # until their scripts run
        cluster.node("kill", SPARE)
        assert process.wait(timeout=1500) == 0, (study.folder / "output.txt").read_text()[-4000:]
    finally:
        cluster.node("start", SPARE)
    assert "NODE_FAIL" in cluster.states(study)
    wait_for(lambda: SPARE in slurm("sinfo", "-h", "-N", "-t", "idle,mix,alloc", "-o", "%N"))

    def times():
        return {path: (study.folder / path).stat().st_mtime_ns for path in lost}

    written = times()
    time.sleep(30)
    assert cluster.jobs(study) == []
    assert times() == written  # the jobs of the lost node did not continue
    assert not list(study.folder.rglob(".partial*"))
    study.run(cores=2)
    assert files_of(study) == files_on_one_machine(study)


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9"])
def test_snakemake_itself_ends(cluster, study, how):
    slow_down(study, 40)  # so that jobs still run when Ctrl-C is pressed again
    process = cluster.start(study)
    wait_for(lambda: (study.folder / CONTRAST[0]).exists(), 600)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT if how == "Ctrl-C" else signal.SIGKILL)
    if how == "Ctrl-C":  # Snakemake may miss it, see docs/cluster.md; then it is pressed again
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=40)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=300) != 0
    if how == "kill -9":  # its jobs are still there, see docs/cluster.md: end them, then unlock
        numbers = cluster.jobs(study)
        assert numbers
        slurm("scancel", *numbers)
        assert "LockException" in study.run().stderr
        assert study.run("--unlock").returncode == 0
    wait_for(lambda: cluster.jobs(study) == [])
    assert "3 of 3 stacks done" in cluster.run(study)
    assert files_of(study) == files_on_one_machine(study)
    assert not list(study.folder.rglob(".partial*"))
