"""Lines at the end of a run, from its tables."""

from cellstack.files.tables import write_rows
from cellstack.run.hints import flagged_groups, flagged_stacks, how_to_look


def test_the_viewer_is_named_with_a_flagged_stack(tmp_path, monkeypatch):
    path, script = tmp_path / "results" / "stacks.csv", tmp_path / "my scripts" / "view.py"
    columns = ["stack", "object", "status", "flags"]
    rows = [
        {"stack": "bad", "object": "nuclei", "status": "failed", "flags": "no image"},
        {"stack": "good", "object": "nuclei", "status": "ok", "flags": ""},
        {"stack": "odd", "object": "nuclei", "status": "ok", "flags": "haze: much"},
    ]
    write_rows(path, columns, rows)
    assert how_to_look(path, script) == []
    script.parent.mkdir()
    script.touch()
    (line,) = how_to_look(path, script)
    assert line.endswith(f"correct it: python '{script}' {tmp_path}/results/odd")
    monkeypatch.chdir(tmp_path)
    (line,) = how_to_look("results/stacks.csv", script)
    assert line.endswith("python 'my scripts/view.py' results/odd")
    write_rows(path, columns, rows[:2])
    assert how_to_look(path, script)[0].startswith("to look at good in napari")
    write_rows(path, columns, rows[:1])
    assert how_to_look(path, script) == []


def test_flagged_stacks_are_named_with_their_first_reason(tmp_path):
    path = tmp_path / "stacks.csv"
    assert flagged_stacks(path) == []
    columns = ["stack", "object", "status", "flags"]

    def write(*flags, status="ok"):
        rows = [
            {"stack": f"s{i}", "object": "nuclei", "status": status, "flags": each}
            for i, each in enumerate(flags)
        ]
        write_rows(path, columns, rows)

    write("", "")
    assert flagged_stacks(path) == []
    write("image.tif: not found", status="failed")  # listed with the failed stacks
    assert flagged_stacks(path) == []
    write("haze: much;hollow: 2;dim", "", "x" * 300)
    assert flagged_stacks(path) == [
        f"look at 2 of 3 stacks (all reasons: column flags of {path}):",
        "  s0 nuclei: haze: much; and 2 more flags",
        f"  s2 nuclei: {'x' * 110}...",
    ]
    write(*["haze"] * 25)
    lines = flagged_stacks(path)
    assert lines[0].startswith("look at 25 of 25 stacks")
    assert len(lines) == 12
    assert lines[-1] == "  and 15 more"


def test_doubtful_comparisons_are_named_once(tmp_path):
    path = tmp_path / "groups.csv"
    assert flagged_groups(path) == []
    columns = ["object", "column", "group_1", "group_2", "warnings"]
    groups = {"object": "nuclei", "group_1": "control", "group_2": "drug"}
    rows = [groups | {"column": f"c{i}", "warnings": "few units;outlier"} for i in range(3)]
    write_rows(path, columns, [*rows, groups | {"column": "c", "warnings": ""}])
    assert flagged_groups(path) == [
        f"doubt 3 of 4 comparisons (column warnings of {path}):",
        "  nuclei, control and drug: few units (3 columns)",
        "  nuclei, control and drug: outlier (3 columns)",
    ]
    write_rows(path, columns, [groups | {"column": "c", "warnings": ""}])
    assert flagged_groups(path) == []
