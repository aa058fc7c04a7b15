"""Groups of jobs that a cluster runs as one job, and the order of the stacks.

This is set for all rules at once, through attributes of Snakemake's rules, so that no rule has to
repeat it.
"""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cellstack.config.block_plan import BlockPlan
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.run.resources import ResourceRequests, Wildcards
from cellstack.run.signatures import keep_signature

GROUPS = {
    "prepare": "prepare",
    "enhance": "prepare",
    "segment": None,
    "blocks": None,
    "cells": None,
}
OTHER_GROUP = "measure"  # of the jobs after the segmentation
# By rule. Between two groups, a job chooses or describes something in the complete stack. A group
# that contains import_stack would contain all blocks.
GROUPS_OF_BLOCKS = {
    "cut_block": "blocks-before-choice",
    "correct_background": "blocks-before-choice",
    "adjust_contrast": "blocks-before-choice",
    "denoise": "blocks-before-choice",
    "find_blobs": "blocks-before-choice",
    "binarize": "blocks-before-merging",
    "clean_mask": "blocks-before-merging",
    "label_components": "blocks-before-merging",
    "find_seeds": "blocks-before-merging",
    "split_objects": "blocks-before-merging",
    "measure_watershed": "blocks-before-merging",
    "merge_objects": "blocks-merging",
    "smooth_outlines": "blocks-merging",
}
BEFORE_PLANES = ("binarize", "clean_mask")  # of a block whose seeds are limited to some planes
SECONDS_FOR_SLURM = 60
MAX_SECONDS_PER_GROUP = 600  # Slurm takes about 5 s to start a job


def check_slurm(seconds: float = SECONDS_FOR_SLURM) -> None:
    """Check that Slurm answers; without it, Snakemake waits for ever for the first job.

    Parameters
    ----------
    seconds : float
        How long to wait for the answer.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        In one line.
    """
    from snakemake.exceptions import WorkflowError

    command = "sinfo"
    try:
        answer = subprocess.run(
            [command, "--noheader"], capture_output=True, text=True, timeout=seconds
        )
    except FileNotFoundError:
        reason = f"the command {command} is not installed on this machine"
    except subprocess.TimeoutExpired:
        reason = f"{command} did not answer within {seconds:g} s"
    else:
        if answer.returncode == 0:
            return
        said = answer.stderr.strip().splitlines()
        reason = said[0] if said else f"{command} ended with exit status {answer.returncode}"
    raise WorkflowError(
        f"Slurm cannot be used: {reason}; run this command on a login node of the cluster, or "
        "without --workflow-profile on this machine"
    )


def arrange(
    workflow: Any, study: Study, block_plan: BlockPlan, resources: ResourceRequests
) -> None:
    """Set the group and the priority of each rule that works on a stack.

    All stages of a stack that takes less than ten minutes are one job of the cluster. Those of a
    larger stack, or one in blocks, are grouped before and after the segmentation, whose stages are
    jobs each; the stages of the nuclei of a block are three jobs. Large stacks come first; stacks
    of one size are finished one after the other.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    study : Study
    block_plan : BlockPlan
    resources : ResourceRequests
    """
    position = {name: number for number, name in enumerate(study.stacks)}
    folder = Path(str(workflow.current_basedir))

    @cache
    def is_short(stack: str) -> bool:
        seconds = resources.seconds_of_all_stages(stack)
        return seconds <= MAX_SECONDS_PER_GROUP and not block_plan.blocks(stack)

    @keep_signature
    def priority(wildcards: Any) -> float:
        stack = Unit.parse(wildcards.stack).stack
        return resources.voxels(stack) + 1 - position[stack] / len(position)

    def group_of_block(rule: str, stack: str) -> str | None:
        if (
            rule in BEFORE_PLANES
            and study.argument("planes", "find_seeds", stack, "nuclei") != "all"
        ):
            return "blocks-before-planes"
        return GROUPS_OF_BLOCKS.get(rule)

    def grouped(phase: str | None, rule: str) -> Callable[[Wildcards], str | None]:
        @keep_signature
        def group(wildcards: Any) -> str | None:
            if workflow.dryrun or workflow.local_exec:
                return None  # on one machine, groups would only make a dry run harder to read
            unit = Unit.parse(wildcards.stack)
            if unit.alternative:
                return unit.alternative.replace("/", "-")
            if not is_short(unit.stack):
                return group_of_block(rule, wildcards.stack) if unit.block else phase
            return f"sweep-{unit.run}" if unit.run else "stack"

        return group

    for rule in workflow.rules:
        file = Path(str(rule.snakefile))
        if file.parent == folder and "stack" in rule.wildcard_names:
            rule.priority = priority
            phase = GROUPS.get(file.stem, OTHER_GROUP)
            rule.group = grouped(phase, rule.name)
