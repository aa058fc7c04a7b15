"""Groups and priorities of jobs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from cellstack.run import cluster

SIZES = {"small": 1e6, "large": 1e9, "other": 1e6, "cut": 1e6, "limited": 1e6}


class Requests:
    """Requests for stacks of known sizes."""

    def voxels(self, stack):
        return SIZES[stack]

    def seconds_of_all_stages(self, stack):
        return self.voxels(stack) / 1e6 * 5


@pytest.fixture
def rules():
    """Rules of three files and a rule on all stacks, arranged for a run on a cluster."""
    files = {"prepare": "import_stack", "segment": "binarize", "measure": "measure_objects"}

    def rule(file, name, *wildcards):
        path = f"/rules/{file}.smk"
        return SimpleNamespace(snakefile=path, name=name, wildcard_names=set(wildcards), group=None)

    made = [rule(file, name, "stack") for file, name in files.items()]
    made.append(rule("measure", "collect_objects"))
    workflow = SimpleNamespace(
        rules=made, current_basedir=Path("/rules"), dryrun=False, local_exec=False
    )
    study = SimpleNamespace(
        stacks=dict.fromkeys(SIZES),
        argument=lambda key, stage, stack, channel: "middle" if "limited" in stack else "all",
    )
    block_plan = SimpleNamespace(
        blocks=lambda stack: {"0-0-0": None} if stack in ("cut", "limited") else {}
    )
    cluster.arrange(workflow, study, block_plan, Requests())
    return SimpleNamespace(workflow=workflow, **dict(zip((*files, "all"), made, strict=True)))


def stack(path):
    return SimpleNamespace(stack=path)


def test_a_small_stack_is_one_job(rules):
    assert {rule.group(stack("small")) for rule in rules.workflow.rules[:3]} == {"stack"}


def test_a_large_stack_is_grouped_before_and_after_its_segmentation(rules):
    groups = [rule.group(stack("large")) for rule in rules.workflow.rules[:3]]
    assert groups == ["prepare", None, "measure"]


def test_runs_of_a_sweep_are_jobs_each(rules):
    assert rules.segment.group(stack("sweep/3/small")) == "sweep-3"
    assert rules.segment.group(stack("sweep/3/large")) is None


def test_stages_of_a_block_are_grouped(rules):
    assert rules.segment.group(stack("cut/blocks/0-1-2")) == "blocks-before-merging"
    assert rules.prepare.group(stack("cut")) == "prepare"


def test_masks_of_all_blocks_come_before_the_planes_with_seeds(rules):
    """A group that contained both the mask and the seeds would wait for itself."""
    assert rules.segment.group(stack("limited/blocks/0-1-2")) == "blocks-before-planes"


def test_rules_on_all_stacks_are_left_alone(rules):
    assert rules.all.group is None
    assert not hasattr(rules.all, "priority")


@pytest.mark.parametrize("attribute", ["dryrun", "local_exec"])
def test_there_are_no_groups_on_one_machine(rules, attribute):
    setattr(rules.workflow, attribute, True)
    assert rules.segment.group(stack("small")) is None


def test_large_stacks_come_first_then_the_order_of_the_sheet(rules):
    ranked = sorted(SIZES, key=lambda name: -rules.segment.priority(stack(name)))
    assert ranked == ["large", "small", "other", "cut", "limited"]
    assert rules.segment.priority(stack("sweep/2/small")) == rules.segment.priority(stack("small"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "the command sinfo is not installed on this machine"),
        ("exec sleep 5", "sinfo did not answer within 0.2 s"),
        ("echo 'sinfo: error: Unknown host' >&2; exit 1", "sinfo: error: Unknown host"),
        ("exit 3", "sinfo ended with exit status 3"),
    ],
)
def test_slurm_that_does_not_answer_is_an_error(tmp_path, monkeypatch, script, reason):
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if script else str(tmp_path))
    if script:
        (tmp_path / "sinfo").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "sinfo").chmod(0o755)
    with pytest.raises(WorkflowError, match=f"Slurm cannot be used: {reason}; run this") as error:
        cluster.check_slurm(0.2)
    assert "\n" not in str(error.value)


def test_slurm_that_answers_is_used(tmp_path, monkeypatch):
    (tmp_path / "sinfo").write_text("#!/bin/sh\n")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster.check_slurm()
