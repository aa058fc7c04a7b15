import numpy as np

from cellstack import table_io
from cellstack.plot_volumes import MOST_ROWS, plot_volumes
from plot_volumes import main


def panels(figure):
    return {axes.get_label(): axes for axes in figure.axes}


def names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_one_row_per_stack_and_one_per_group():
    volumes = {"a": [100.0, 200.0, 300.0], "b": [], "c": [400.0], "d": [50.0, 60.0]}
    found = panels(plot_volumes(volumes, {"a": "control", "b": "control", "c": "drug"}, kind="cells", group_by="condition"))
    assert names(found["groups"]) == ["control", "drug", "(none)"]
    assert names(found["stacks"]) == ["a", "b", "c", "d"]
    medians = [line for line in found["groups"].lines if line.get_marker() == "D"]
    assert medians[0].get_xdata().tolist() == [200.0]
    dots = [line.get_xdata().tolist() for line in found["stacks"].lines if line.get_marker() == "."]
    assert dots == [volumes["a"], volumes["c"], volumes["d"]]
    assert found["stacks"].get_xlim() == found["groups"].get_xlim()
    assert found["stacks"].get_xlim()[0] == 0


def test_without_groups_there_is_one_block():
    assert set(panels(plot_volumes({"a": [1.0]}, {}, kind="nuclei", group_by="condition"))) == {"stacks"}


def test_nothing_measured_is_said():
    figure = plot_volumes({"a": []}, {}, kind="cells", group_by="condition")
    assert "no measured cells" in [text.get_text() for text in figure.texts]


def test_many_stacks_are_cut_and_this_is_said():
    volumes = {f"s{i}": np.arange(5.0) for i in range(MOST_ROWS + 5)}
    figure = plot_volumes(volumes, {}, kind="cells", group_by="condition")
    assert len(names(panels(figure)["stacks"])) == MOST_ROWS
    assert any(f"the first {MOST_ROWS} of {MOST_ROWS + 5}" in text.get_text() for text in figure.texts)


def test_script_gives_the_same_bytes_twice(tmp_path):
    table_io.write_rows(tmp_path / "a.csv", ["volume_um3"], [{"volume_um3": "3"}, {"volume_um3": "4"}])
    for name in ("one", "two"):
        main(
            tables=[tmp_path / "a.csv"],
            volumes=tmp_path / f"{name}.png",
            stacks=["a"],
            groups={},
            object="cells",
            group_by="condition",
            note="",
        )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
