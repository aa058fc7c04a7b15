"""The audit of pinned packages: what it reports, and its exit status."""

import importlib.util
import json

import pytest
from study import ROOT

SPEC = importlib.util.spec_from_file_location("audit", ROOT / "envs" / "audit.py")
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "X-1", "fix_versions": ["2.1", "3"]}]}
WORSE = {"name": "worse", "version": "3.0", "vulns": [{"id": "X-2", "fix_versions": []}]}
ABSENT = {"name": "absent", "skip_reason": "not found"}


@pytest.fixture
def run(monkeypatch, capsys):
    def with_packages(*packages, answer=None, error=""):
        text = json.dumps({"dependencies": packages}) if answer is None else answer
        monkeypatch.setattr(audit, "ask", lambda path: (text, error))
        status = audit.main()
        output = capsys.readouterr()
        return status, output.out.splitlines(), output.err.splitlines()

    return with_packages


FILES = sorted(path.name for path in (ROOT / "envs" / "requirements").glob("*.txt"))


def test_nothing_is_known(run):
    status, lines, errors = run(GOOD)
    assert (status, errors) == (0, [])
    assert lines == [f"No vulnerability is known of {len(FILES)} pinned packages."]


def test_a_vulnerability_has_a_line_with_the_version_that_fixes_it(run):
    status, lines, errors = run(GOOD, BAD, WORSE)
    assert (status, errors) == (1, [])
    assert f"{FILES[0]}: bad 2.0: X-1, fixed in 2.1, 3" in lines
    assert f"{FILES[-1]}: worse 3.0: X-2, fixed in no version yet" in lines
    assert len(lines) == 2 * len(FILES)


@pytest.mark.parametrize("answer", ["", "<html>", None])
def test_a_list_that_cannot_be_reached_is_one_line(run, answer):
    status, lines, errors = run(GOOD, ABSENT, answer=answer, error="no route to host")
    assert (status, lines, len(errors)) == (2, [], 1)
    assert errors[0].startswith("The published list of vulnerabilities cannot be reached, or lacks")
    assert ("no route to host" if answer is not None else f"absent of {FILES[0]}") in errors[0]


def test_a_vulnerability_counts_more_than_a_package_that_is_not_listed(run):
    status, lines, errors = run(BAD, ABSENT)
    assert (status, len(lines), len(errors)) == (1, len(FILES), 1)
