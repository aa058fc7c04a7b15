"""What rules claim against what their jobs took: benchmarks/fit_claims.py measured it and fitted the claims."""

import ast
import csv
import math

import pytest
from study import ROOT

FLOOR = {"mb": 400, "seconds": 120}  # what is claimed for the smallest jobs


def table(path):
    with (ROOT / path).open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def claims_of(megavoxels):
    """Give the functions of claims.smk that claim memory and minutes, for a stack of a size."""
    tree = ast.parse((ROOT / "rules" / "claims.smk").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in ("memory", "seconds", "minutes")]
    fitted = {row.pop("rule"): [float(cell) for cell in row.values()] for row in table("rules/claims.tsv")}
    space = {"math": math, "CLAIMS": fitted, "DEAREST": None, "megavoxels": lambda wildcards: megavoxels}
    exec(compile(ast.Module(functions, []), "claims.smk", "exec"), space)
    return space["memory"], space["minutes"]


MEASURED = [row for row in table("benchmarks/claims.tsv") if row["rule"] != "import_truth"]  # which claims as import_labels


@pytest.mark.parametrize("row", [row for row in MEASURED if row["side"] in ("256", "1024")], ids=lambda row: f"{row['rule']}-{row['side']}")
def test_a_job_takes_a_fifth_to_four_fifths_of_its_claim(row):
    memory, minutes = claims_of(float(row["megavoxels"]))
    claimed = {"mb": memory(row["rule"])(None, 1), "seconds": 60 * minutes(row["rule"])(None, 1)}
    taken = {"mb": float(row["mb"]), "seconds": float(row["cpu_seconds"])}
    for what, amount in claimed.items():
        assert taken[what] <= 0.8 * amount, what
        assert taken[what] >= 0.2 * amount or amount == FLOOR[what], what


def test_each_attempt_claims_more():
    memory, minutes = claims_of(60.0)
    for claim in (memory("find_seeds"), minutes("find_seeds")):
        assert claim(None, 1) < claim(None, 2) < claim(None, 3)


def test_three_sizes_were_measured():
    rules = {row["rule"] for row in MEASURED if row["side"] != "0"}
    assert {"import_stack", "find_seeds", "split_objects", "measure_objects"} <= rules
    for rule in rules:
        assert len([row for row in MEASURED if row["rule"] == rule]) >= 3, rule
