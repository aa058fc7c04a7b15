"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)  # a busy machine is no fault, and each run tests the same
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data():
    """The folder of real stacks; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("CELLSTACK_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "tutorial" / "nuclei.tif").exists():
        pytest.skip(f"no real stacks at {folder}: set CELLSTACK_DATA to their folder")
    return folder
