from drawn import panels, texts_of

from cellstack.figures.plot_sweep import AS_CONFIGURED, plot_sweep, sort_values


def test_values_are_sorted_as_numbers_where_possible():
    values = {"0.1 d", AS_CONFIGURED, "0.02 d", "li"}
    assert sort_values(values) == [AS_CONFIGURED, "0.02 d", "0.1 d", "li"]
    assert sort_values({"10", "9", "1e1"}) == ["9", "10", "1e1"]


def test_plot_shows_runs_stacks_and_means_over_each_key():
    rows = [
        {"run": str(run), "stack": stack, "object": "nuclei", "f1": str(f1), "a": a, "b": b}
        for run, a, b, scores in (
            (0, "", "", (0.5, 0.7)),
            (1, "2", "x", (0.6, 1.0)),
            (2, "2", "", (0.4, 0.4)),
        )
        for stack, f1 in zip(("s", "t"), scores, strict=True)
    ]
    figure = plot_sweep(rows, ["a", "b"])
    shown = panels(figure)
    assert list(shown) == ["a", "b"]
    solid = [line for line in shown["a"].lines if line.get_linestyle() == "-"]
    assert {tuple(map(float, line.get_xdata())) for line in solid} == {(0, 1)}
    drawn = [[round(float(y), 6) for y in line.get_ydata()] for line in shown["a"].lines]
    assert drawn == [[0.6, 0.8, 0.4], [0.5, 0.5], [0.7, 0.7], [0.6, 0.6]]  # runs, stacks, mean
    assert [text.get_text() for text in shown["b"].get_xticklabels()] == [AS_CONFIGURED, "x"]
    text = "2 runs; run 1 is the best with 0.800, the configuration itself has 0.600"
    assert text in texts_of(figure)
