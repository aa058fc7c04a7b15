"""What jobs claim: memory and time, by the voxels of their stack."""

import math


def read_claims(path):
    """Read what a job of each rule took, see benchmarks/fit_claims.py."""
    lines = Path(workflow.source_path(path)).read_text(encoding="utf-8").splitlines()
    return {rule: [float(number) for number in numbers] for rule, *numbers in (line.split("\t") for line in lines[1:])}


CLAIMS = read_claims("claims.tsv")
DEAREST = [max(numbers) for numbers in zip(*CLAIMS.values())]  # stands in for a rule that was not measured yet


@cache
def voxels(stack):
    """Count the voxels of a stack, 0 where that cannot be told: the job that reads it says why."""
    from cellstack import readers
    from cellstack.errors import InputError

    image = next(iter(stacks[stack].values()))["image"]
    if image in simulated_shapes:
        return math.prod(simulated_shapes[image])
    try:
        with readers.open_image([Path(image)]) as source:
            return source.count * math.prod(source.plane_shape)
    except InputError:
        return 0


def megavoxels(wildcards):
    """Count the voxels of the stack of a job in millions, 0 for jobs of all stacks."""
    if "simulation" in wildcards.keys():
        return math.prod(config["simulate_stack"][wildcards.simulation]["shape"]) / 1e6
    return voxels(wildcards.stack) / 1e6 if "stack" in wildcards.keys() else 0


def memory(rule):
    """Claim memory in MB: half more than a job of the rule took, with room for Snakemake's own processes, and more with each attempt."""
    megabytes, per_megavoxel, _, _ = CLAIMS.get(rule, DEAREST)

    def mem_mb(wildcards, attempt):
        return int(attempt * max(400, 200 + 1.5 * (megabytes + per_megavoxel * megavoxels(wildcards))))

    return mem_mb


def seconds(rule, wildcards):
    """Expect the seconds of a job."""
    _, _, least, per_megavoxel = CLAIMS.get(rule, DEAREST)
    return least + per_megavoxel * megavoxels(wildcards)


def minutes(rule):
    """Claim minutes: two and a half times what a job of the rule took, for machines that are slower or busy, and more with each attempt."""

    def runtime(wildcards, attempt):
        return attempt * max(2, math.ceil(2.5 * seconds(rule, wildcards) / 60))

    return runtime


def cores(wildcards):
    """Use one core for small stacks, which run many at once, and up to four for a large one, which is waited for."""
    return min(4, 1 + int(megavoxels(wildcards) / 16))
