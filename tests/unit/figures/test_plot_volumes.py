import numpy as np
from drawn import panels, texts_of

from cellstack.figures.plot_volumes import MAX_STACKS, plot_volumes
from cellstack.files.tables import write_rows
from plot_volumes import main


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_one_row_per_stack_and_one_per_group():
    volumes = {"a": [100.0, 200.0, 300.0], "b": [], "c": [400.0], "d": [50.0, 60.0]}
    groups = {"a": "control", "b": "control", "c": "drug"}
    shown = panels(plot_volumes(volumes, groups, kind="cells", group_by="condition"))
    assert row_names(shown["groups"]) == ["control", "drug", "(none)"]
    assert row_names(shown["stacks"]) == ["a", "b", "c", "d"]
    medians = [line for line in shown["groups"].lines if line.get_marker() == "D"]
    assert medians[0].get_xdata().tolist() == [200.0]
    dots = [line.get_xdata().tolist() for line in shown["stacks"].lines if line.get_marker() == "."]
    assert dots == [volumes["a"], volumes["c"], volumes["d"]]
    assert shown["stacks"].get_xlim() == shown["groups"].get_xlim()
    assert shown["stacks"].get_xlim()[0] == 0


def test_one_block_without_groups():
    figure = plot_volumes({"a": [1.0]}, {}, kind="nuclei", group_by="condition")
    assert set(panels(figure)) == {"stacks"}


def test_stack_without_objects():
    figure = plot_volumes({"a": []}, {}, kind="cells", group_by="condition")
    assert "no measured cells" in texts_of(figure)


def test_number_of_rows_is_limited():
    volumes = {f"s{i}": np.arange(5.0) for i in range(MAX_STACKS + 5)}
    figure = plot_volumes(volumes, {}, kind="cells", group_by="condition")
    assert len(row_names(panels(figure)["stacks"])) == MAX_STACKS
    assert f"By stack: the first {MAX_STACKS} of {MAX_STACKS + 5}" in texts_of(figure)


def test_script_writes_the_same_bytes_twice(tmp_path):
    write_rows(tmp_path / "a.csv", ["volume_um3"], [{"volume_um3": "3"}, {"volume_um3": "4"}])
    for name in ("one", "two"):
        main(
            tables=[tmp_path / "a.csv"],
            figure=tmp_path / f"{name}.png",
            stacks=["a"],
            groups={},
            object="cells",
            group_by="condition",
            note="",
        )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
