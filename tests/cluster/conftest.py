"""A Slurm of three nodes on this machine, for root on Debian or Ubuntu; `make test-cluster` starts it before and stops it after."""

import os
import shutil

import pytest
from slurm import Cluster, slurm
from study import Study, write_pair


@pytest.fixture(scope="session")
def cluster():
    """The cluster; tests that need it are skipped where it cannot be, and fail where it is not."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("a Slurm for tests needs root on Debian or Ubuntu")
    if "main" not in slurm("sinfo", "--noheader", "--format=%R"):
        pytest.fail("Slurm does not run: make test-cluster starts it")
    return Cluster()


@pytest.fixture
def study(tmp_path):
    """Three small stacks, one with two channels and a truth."""
    study = Study(tmp_path)
    for number in range(3):
        write_pair(tmp_path, f"colony{number}", shape=(12, 80, 80), count=4, seed=number)
        study.add(f"colony{number}", image=f"colony{number}-nuclei.tif", truth=f"colony{number}-truth.tif" if number == 0 else "")
    study.add("colony0", "membrane", image="colony0-membrane.tif")
    return study
