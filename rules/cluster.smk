"""Which jobs travel to a cluster as one, and which stacks come first; for every rule alike, so that no rule needs to say it."""

PHASES = {
    "prepare": "prepare",
    "enhance": "prepare",
    "segment": None,
    "cells": None,
}  # file of rules: group; all else is "measure"
SHORT = 600  # seconds up to which all stages of a stack travel as one job: starting one costs about 5 s of Slurm


@cache
def is_short(stack):
    """Tell whether all stages of a stack together are short."""
    return sum(least + per * voxels(stack) / 1e6 for _, _, least, per in CLAIMS.values()) <= SHORT


def together(phase):
    """Name the group of a job: all of a short stack, else the stages before or after the segmentation, whose stages go alone."""

    def group(wildcards):
        if (
            workflow.dryrun or workflow.local_exec
        ):  # one machine runs each job by itself, and -n is easier to read without
            return None
        if not is_short(wildcards.stack):
            return phase
        return f"sweep-{wildcards.run}" if "run" in wildcards.keys() else "stack"

    return group


def largest_first(wildcards):
    """Rank jobs by the size of their stack, and stacks of one size by their order in the sheet, so that they end one after the other."""
    return voxels(wildcards.stack) + 1 - POSITIONS[wildcards.stack] / len(POSITIONS)


POSITIONS = {stack: number for number, stack in enumerate(stacks)}

for each in workflow.rules:
    file = Path(str(each.snakefile))
    if file.parent == Path(str(workflow.current_basedir)) and "stack" in each.wildcard_names:
        each.priority = largest_first
        each.group = together(PHASES.get(file.stem, "measure"))
