"""Runs on Slurm give the same results as on one machine.

This also holds after lack of memory or time, the loss of a node, Ctrl-C and kill -9.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from itertools import product

import pytest
import yaml
from slurm import SPARE, slurm
from study import ROOT, Study, copy_workflow, wait_for, write_pair

CONTRAST = [f"results/colony{number}/channels/nuclei/contrast.tif" for number in range(3)]
DENOISED = [path.replace("contrast", "denoised") for path in CONTRAST]
TABLES = [f"results/colony/nuclei/{name}" for name in ("labels.ome.tif", "objects.csv")]
SLOW = "import time\n\nwhile Path('slow').exists():\n    time.sleep(0.1)\n"
FILES_WITH_PATHS = ("import.json", "config.yaml")  # name the images, which are in other folders


def files_on_one_machine(study, *targets):
    """Run the same study on this machine without disturbances, and return its files."""
    other = Study(study.folder / "local", study.workflow)
    other.folder.mkdir()
    other.config = study.config
    for row in study.rows:
        cells = {column: with_folder(study, cell) for column, cell in row.items()}
        other.rows.append(cells)
    process = other.run(*targets, cores=2)
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
    slow = f"import time\n\ntime.sleep({seconds})\njob.run(main)"
    edit(study, "denoise.py", "job.run(main)", slow)


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


def test_the_jobs_of_a_lost_node_are_done_elsewhere(cluster, tmp_path):
    """Those of blocks of a stack; the other jobs of blocks are on two nodes."""
    study = study_in_blocks(tmp_path)
    blocks = [f"blocks/{z}-{y}-{x}" for z, y, x in product(range(2), repeat=3)]
    contrast, denoised = (
        [f"results/colony/{block}/channels/nuclei/{name}.tif" for block in blocks]
        for name in ("contrast", "denoised")
    )
    assert study.run(*contrast, cores=2).returncode == 0
    first_there = f"'--nodelist={SPARE}' if attempt == 1 else '--exclude={SPARE}'"
    lost = denoised[:2]  # as many as the node has cores
    resources = f"denoise:slurm_extra={first_there}"
    (tmp_path / "slow").touch()
    process = cluster.start(study, "--set-resources", resources, "--", *lost)
    try:
        wait_for(lambda: len(cluster.jobs(study, "RUNNING")) >= 2, 600)
        time.sleep(8)  # until their scripts run
        cluster.node("kill", SPARE)
        (tmp_path / "slow").unlink()
        assert process.wait(timeout=1500) == 0, (study.folder / "output.txt").read_text()[-4000:]
    finally:
        cluster.node("start", SPARE)
    assert "NODE_FAIL" in cluster.states(study)
    wait_for(lambda: SPARE in slurm("sinfo", "-h", "-N", "-t", "idle,mix,alloc", "-o", "%N"))

    def times():
        return {path: (study.folder / path).stat().st_mtime_ns for path in lost}

    written = times()
    assert study.run("results/colony/nuclei/chosen.json", cores=2).returncode == 0
    before = len(cluster.states(study))
    cluster.run(study, "--", *TABLES)
    assert len(cluster.states(study)) - before < 2 * len(blocks) + 8  # two jobs per block
    assert times() == written  # the jobs of the lost node did not continue
    assert not list(study.folder.rglob(".partial*"))
    assert files_of(study) == files_on_one_machine(study, *TABLES)


def study_in_blocks(folder):
    """Return a study of a stack in eight blocks, with jobs of denoise that wait.

    They do so as long as there is a file `slow`.
    """
    study = Study(folder, copy_workflow(folder / "workflow"))
    write_pair(folder, "colony", shape=(16, 64, 64), count=6)
    study.add("colony", image="colony-nuclei.tif")
    study.config["split_into_blocks"] = {"counts": [2, 2, 2], "overlap_um": 6}
    edit(study, "denoise.py", "job.run(main)", SLOW + "job.run(main)")
    return study


def edit(study, name, old, new):
    """Change a file in the study's copy of the workflow."""
    path = study.workflow / "scripts" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


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
