"""A Slurm of three nodes on this machine, for root on Debian or Ubuntu.

`make test-cluster` starts it before the tests and stops it afterwards.
"""

import os
import shutil

import pytest
from slurm import Cluster, slurm
from study import Study, write_pair


@pytest.fixture(scope="session")
def cluster():
    """The cluster. Tests are skipped where it cannot run, and fail where it is not running."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("a Slurm for tests needs root on Debian or Ubuntu")
    if "main" not in slurm("sinfo", "--noheader", "--format=%R"):
        pytest.fail("Slurm is not running; it is started by: make test-cluster")
    return Cluster()


@pytest.fixture
def study(tmp_path):
    """Three small stacks, one of them with two channels and a ground truth."""
    study = Study(tmp_path)
    for number in range(3):
        name = f"colony{number}"
        write_pair(tmp_path, name, shape=(12, 80, 80), count=4, seed=number)
        study.add(name, image=f"{name}-nuclei.tif")
    study.rows[0]["ground_truth"] = "colony0-truth.tif"
    study.add("colony0", "membrane", image="colony0-membrane.tif")
    return study
