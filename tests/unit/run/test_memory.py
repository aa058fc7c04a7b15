"""The memory that all jobs on one machine share."""

from types import SimpleNamespace

import psutil
import pytest

from cellstack.run import memory


class Workflow(SimpleNamespace):
    """A workflow of Snakemake on one machine."""

    def __init__(self, local_exec=True, **limits):
        settings = SimpleNamespace(cores=4)
        super().__init__(local_exec=local_exec, remote_exec=False, resource_settings=settings)
        self.global_resources = limits

    def register_resource(self, name, value):
        self.global_resources[name] = value


def test_jobs_share_the_memory_of_the_machine(monkeypatch):
    monkeypatch.setattr(memory, "memory_mb", lambda: 16_000)
    workflow = Workflow()
    memory.limit_memory(workflow)
    assert workflow.global_resources == {"mem_mb": 16_000}


def test_a_given_limit_is_kept():
    workflow = Workflow(mem_mb=12_000)
    memory.limit_memory(workflow)
    assert workflow.global_resources == {"mem_mb": 12_000}


def test_a_cluster_has_no_limit():
    workflow = Workflow(local_exec=False)
    memory.limit_memory(workflow)
    assert workflow.global_resources == {}


def test_memory_of_this_machine():
    assert 0 < memory.memory_mb() <= psutil.virtual_memory().total / 1e6


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """Return a function that writes the control groups of this process and their limits."""
    root, own = tmp_path / "cgroup", tmp_path / "self"
    monkeypatch.setattr(memory, "CGROUPS", root)
    monkeypatch.setattr(memory, "OWN_CGROUPS", own)

    def write(groups, limits):
        own.write_text(groups)
        for path, limit in limits.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f"{limit}\n")

    return write


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/job_1/step_0\n", {"job_1/memory.max": 300_000_000}),
        ("0::/job_1/step_0\n", {"job_1/step_0/memory.max": 300_000_000, "memory.max": "max"}),
        ("0::/not/seen/in/the/container\n", {"memory.max": 300_000_000}),
        (
            "5:cpu,cpuacct:/\n4:memory:/job_1\n0::/\n",
            {"memory/job_1/memory.limit_in_bytes": 300_000_000},
        ),
    ],
)
def test_the_limit_of_a_container_or_job_counts(cgroups, groups, limits):
    cgroups(groups, limits)
    assert memory.memory_mb() == 300


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/job_1\n", {"job_1/memory.max": "max"}),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": 2**63 - 4096}),
        ("4:cpu:/job_1\n", {"job_1/memory.max": 300_000_000}),
        ("0::/job_1\n", {}),
    ],
)
def test_control_groups_without_a_limit(cgroups, groups, limits):
    cgroups(groups, limits)
    assert memory.memory_mb() == int(psutil.virtual_memory().total / 1e6)


def test_other_systems_have_no_control_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "OWN_CGROUPS", tmp_path / "missing")
    assert memory.memory_mb() == int(psutil.virtual_memory().total / 1e6)
