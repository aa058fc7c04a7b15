"""Settings and fixtures of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# no time limit, since the machine may be busy; the same examples in each run
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("quick", settings.get_profile("steady"), max_examples=10)
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data():
    """Folder of the real stacks; tests that need it are skipped if it does not exist."""
    folder = Path(os.environ.get("CELLSTACK_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "tutorial" / "nuclei.tif").exists():
        pytest.skip(f"no real stacks in {folder}: set CELLSTACK_DATA to their folder")
    return folder
