"""What rules request against what their jobs took, as measured by benchmarks/fit_resources.py."""

import csv
from types import SimpleNamespace

import pytest
from study import ROOT

from cellstack.run.resources import MIN_MEMORY_MB, ResourceRequests

MIN_REQUEST = {"mb": MIN_MEMORY_MB, "seconds": 120}  # of the smallest jobs
SAME_SCRIPT = {
    "import_ground_truth": "import_labels",
    "import_cells": "import_labels",
    **{
        f"plot_{name}_pdf": f"plot_{name}"
        for name in ("diameter", "segmentation", "planes", "errors")
    },
}


def largest_of_each_request(rows):
    """Return the most that each rule took at each size, with the rules that share its request."""
    most = {}
    for row in rows:
        rule = SAME_SCRIPT.get(row["rule"], row["rule"])
        taken = {name: float(row[name]) for name in ("megavoxels", "cpu_seconds", "mb")}
        found = most.setdefault((rule, int(row["side"])), taken)
        most[rule, int(row["side"])] = {name: max(found[name], taken[name]) for name in taken}
    return [{"rule": rule, "side": side} | taken for (rule, side), taken in most.items()]


def read_measured():
    with (ROOT / "benchmarks" / "resources.tsv").open(newline="") as file:
        return largest_of_each_request(csv.DictReader(file, delimiter="\t"))


def requests_for(megavoxels, shared_cores=None):
    """Return the requests for a study whose stacks and blocks have a given size."""

    class Requests(ResourceRequests):
        def megavoxels(self, wildcards):
            is_block = "/blocks/" in wildcards.get("stack", "")
            return megavoxels if is_block else super().megavoxels(wildcards)

        def voxels(self, stack):
            return megavoxels * 1e6

    return Requests(SimpleNamespace(), ROOT / "config" / "resources.tsv", shared_cores)


MEASURED = read_measured()
OF_STACK = {"stack": "colony"}


@pytest.mark.parametrize(
    "row",
    [row for row in MEASURED if row["side"] in (256, 1024)],
    ids=lambda row: f"{row['rule']}-{row['side']}",
)
def test_a_job_takes_a_fifth_to_four_fifths_of_its_request(row):
    requests = requests_for(row["megavoxels"])
    requested = {
        "mb": requests.memory(row["rule"])(OF_STACK, 1),
        "seconds": 60 * requests.minutes(row["rule"])(OF_STACK, 1),
    }
    taken = {"mb": row["mb"], "seconds": row["cpu_seconds"]}
    for resource, amount in requested.items():
        assert taken[resource] <= 0.8 * amount, resource
        assert taken[resource] >= 0.2 * amount or amount == MIN_REQUEST[resource], resource


def test_each_attempt_requests_more():
    requests = requests_for(60.0)
    for request in (requests.memory("find_seeds"), requests.minutes("find_seeds")):
        assert request(OF_STACK, 1) < request(OF_STACK, 2) < request(OF_STACK, 3)


def test_an_unknown_rule_requests_the_most():
    requests = requests_for(60.0)
    largest = max(requests.memory(rule)(OF_STACK, 1) for rule in requests.measured)
    assert requests.memory("new_rule")(OF_STACK, 1) >= largest


def test_runs_of_a_sweep_request_as_much_as_their_stack():
    requests = requests_for(60.0)
    run = {"stack": "sweep/3/colony"}
    assert requests.memory("find_seeds")(run, 1) == requests.memory("find_seeds")(OF_STACK, 1)


@pytest.mark.parametrize(("megavoxels", "cores"), [(0.1, 1), (15.9, 1), (16, 2), (63, 4), (900, 4)])
def test_large_stacks_get_more_cores(megavoxels, cores):
    assert requests_for(megavoxels).cores(OF_STACK) == cores


@pytest.mark.parametrize(
    ("shared_cores", "of_block"), [(None, 4), (1, 1), (2, 1), (3, 1), (4, 2), (16, 4)]
)
def test_two_blocks_run_side_by_side_on_one_machine(shared_cores, of_block):
    requests = requests_for(200, shared_cores)
    assert requests.cores({"stack": "colony/blocks/0-1-0"}) == of_block
    assert requests.cores(OF_STACK) == 4
    assert requests_for(8, shared_cores).cores({"stack": "colony/blocks/0-1-0"}) == 1


def test_jobs_on_all_stacks_need_no_size():
    requests = requests_for(60.0)
    assert requests.megavoxels({}) == 0
    assert requests.cores({}) == 1


def test_three_sizes_were_measured():
    rules = {row["rule"] for row in MEASURED if row["side"]}
    assert {"import_stack", "find_seeds", "split_objects", "measure_objects"} <= rules
    for rule in rules:
        assert len([row for row in MEASURED if row["rule"] == rule]) >= 3, rule


def test_a_remote_image_is_assumed_to_have_64_million_voxels():
    study = SimpleNamespace(
        stacks={"colony": {"nuclei": {"image": "https://example.org/a.zarr"}}}, simulated_images={}
    )
    requests = ResourceRequests(study, ROOT / "config" / "resources.tsv")
    assert requests.voxels("colony") == 64_000_000
    for rule in ("import_stack", "find_seeds"):
        assert requests.memory(rule)(OF_STACK, 1) == requests_for(64.0).memory(rule)(OF_STACK, 1)
