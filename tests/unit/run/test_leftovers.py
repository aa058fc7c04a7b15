"""Results of earlier runs that a run does not update."""

import pytest

from cellstack.pages.index_run import FURTHER_TABLES
from cellstack.run.leftovers import FILES, MAX_NAMED, describe_leftovers, find_leftovers


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for stack in ("new", "old", "excluded"):
        (folder / stack / "channels").mkdir(parents=True)
    (folder / "sweep" / "1" / "new" / "channels").mkdir(parents=True)
    (folder / "figures").mkdir()
    names = ("objects.csv", "groups.csv", "scores.csv", "nuclei_classes.json", "mine.csv")
    figures = ("nuclei_volumes.png", "nuclei_volumes_2.png", "cells_groups.pdf", "mine.png")
    for name in (*names, *(f"figures/{figure}" for figure in figures)):
        (folder / name).touch()
    return folder


def test_files_of_stacks_and_groups_that_are_gone(results):
    made = [
        f"{results}/{name}" for name in ("objects.csv", "scores.csv", "figures/nuclei_volumes.png")
    ]
    found = find_leftovers(results, made, {"new", "excluded"})
    gone = ("old", "groups.csv", "nuclei_classes.json", "figures/cells_groups.pdf")
    assert found == [f"{results}/{name}" for name in (*gone, "figures/nuclei_volumes_2.png")]


def test_a_kind_of_object_that_is_no_longer_segmented(results):
    for kind in ("nuclei", "cells", "membrane"):
        (results / "new" / kind).mkdir()
        (results / "new" / kind / "objects.csv").touch()
    made = [path for path in results.rglob("*") if path.is_file() and "cells" not in path.parts]
    found = find_leftovers(results, made, {"new", "old", "excluded"})
    assert found == [f"{results}/new/cells"]


def test_all_tables_that_not_every_run_has_are_looked_for():
    assert FURTHER_TABLES.keys() < set(FILES)


def test_nothing_is_left_over(results):
    made = [path for path in results.rglob("*") if path.is_file()]
    assert find_leftovers(results, made, {"new", "old", "excluded"}) == []
    assert find_leftovers(results / "absent", [], []) == []
    assert describe_leftovers([], "all.txt") == []


def test_a_few_are_named():
    (line,) = describe_leftovers([f"r/{i}" for i in range(MAX_NAMED + 2)], "logs/leftovers.txt")
    assert line.endswith("(delete them): r/0, r/1, r/2, r/3 and 2 more, see logs/leftovers.txt")
