"""The table of marks in figures: what it means, and a fix for each error."""

import pytest

from cellstack.config.marks import read_marks
from cellstack.errors import InputError

HEADER = "stack,kind,z_um,y_um,x_um,size_um,text,color,note\n"
SOUND = "a,arrow,1,2,3,4,,,\n"
CASES = {  # the message, and the row with the error
    "stack": ("unknown stack 'A'; known: a, b", "A,arrow,1,2,3,4,,,"),
    "kind": ("unknown kind 'arow'; did you mean 'arrow'?", "a,arow,1,2,3,4,,,"),
    "missing": ("size_um is missing; fill it in", "a,box,1,2,3,,,,"),
    "text": ("text is missing; fill it in, or use an arrow or a box", "a,text,1,2,3,4,,,"),
    "place": ("y_um 'two' is not valid; give a number of um", "a,box,1,two,3,4,,,"),
    "size": ("size_um '0' is not valid; give a size in um, above 0", "a,box,1,2,3,0,,,"),
    "color": ("unknown color 'yelow'; did you mean 'yellow'?; or", "a,box,1,2,3,4,,yelow,"),
}


@pytest.fixture
def table(tmp_path):
    return tmp_path / "marks.csv"


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return read_marks(str(path), ["a", "b"])


def test_rows_are_marks_of_their_stacks(table):
    text = HEADER + SOUND + 'b,text,0,0,"1,5",2,here,#12abCD,a remark\n' + "a,box,1,2,3,4,,red,\n"
    marks, rows, errors = read(table, text)
    assert errors == []
    assert rows == {"a": [2, 4], "b": [3]}
    assert marks["b"] == [
        {"kind": "text", "place_um": [0, 0, 1.5], "size_um": 2, "text": "here", "color": "#12abCD"}
    ]
    assert [(mark["kind"], mark["color"]) for mark in marks["a"]] == [
        ("arrow", "yellow"),
        ("box", "red"),
    ]


def test_empty_rows_count(table):
    _, rows, errors = read(table, HEADER + ",,,,,,,,\n\n" + SOUND)
    assert (rows, errors) == ({"a": [4]}, [])


@pytest.mark.parametrize("case", CASES)
def test_an_error_has_its_row_and_a_fix(table, case):
    message, row = CASES[case]
    marks, _, (error,) = read(table, HEADER + SOUND + row + "\n")
    assert marks == {}
    assert error.startswith(f"{table} row 3: {message}")


def test_an_unknown_column(table):
    _, _, (error,) = read(table, HEADER.replace("note", "colour") + SOUND)
    assert "unknown column 'colour'; did you mean 'color'?" in error


ROWS = [{"stack": "a", "channel": "nuclei", "image": "resources/simulated/sim/image.ome.tif"}]


def study_with(load_study, tmp_path, row):
    (tmp_path / "m.csv").write_text(HEADER + row)
    simulation = {"sim": {"shape": [4, 20, 30], "spacing": [2.0, 0.5, 0.25]}}
    return load_study(ROWS, figures={"marks": "m.csv"}, simulate_stack=simulation)


def test_marks_outside_of_their_stack(load_study, tmp_path):
    study_with(load_study, tmp_path, "a,box,7,9.75,-0.125,4,,,\n").check_marks()
    study = study_with(load_study, tmp_path, "a,box,7.1,2,7.4,4,,,\na,box,1,2,3,4,,,\n")
    with pytest.raises(InputError) as caught:
        study.check_marks()
    _, *errors = str(caught.value).splitlines()
    assert errors == [
        "m.csv row 2: z_um 7.1 is outside the stack; give a number from -1 to 7",
        "m.csv row 2: x_um 7.4 is outside the stack; give a number from -0.125 to 7.375",
    ]


def test_marks_of_a_study(load_study, make_targets, tmp_path):
    study = study_with(load_study, tmp_path, SOUND)
    assert study.marks_of("a") == study.marks_of("sweep/1/a") == study.marks["a"]
    assert len(study.marks["a"]) == 1
    assert study.marks_of("b") == []
    assert make_targets(study).files_of_configuration() == ["m.csv"]


def test_errors_are_reported_with_those_of_the_configuration(load_study, tmp_path):
    with pytest.raises(InputError, match=r"m.csv row 2: unknown stack 'c'"):
        study_with(load_study, tmp_path, SOUND.replace("a,", "c,", 1))
    with pytest.raises(InputError, match=r"config.figures.color_map: 'jet' is not one of"):
        load_study(ROWS, figures={"color_map": "jet"})
