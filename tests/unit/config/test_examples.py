"""The table of examples: what it means, and a fix for each error."""

import pytest

from cellstack.config.examples import read_examples

HEADER = "stack,object,z_um,y_um,x_um,class,note\n"
KINDS = {"a": ["nuclei"], "b_2": ["nuclei", "cells"]}
GOOD = "a,nuclei,1,2,3,mitotic,\nb_2,nuclei,4,5,6,normal,a note\n"


@pytest.fixture
def read(tmp_path):
    def of_text(text):
        (tmp_path / "examples.csv").write_text(text, encoding="utf-8")
        return read_examples(str(tmp_path / "examples.csv"), KINDS, check=True)

    return of_text


def test_examples_by_kind_and_stack(read):
    more = 'a,nuclei,"1,5",0,0,normal,\nb_2,cells,0,0,0,x,\nb_2,cells,1,0,0,y,\n'
    examples, errors = read(HEADER + GOOD + more)
    assert errors == []
    assert list(examples) == ["nuclei", "cells"]
    assert examples["nuclei"]["a"] == [
        {"point": [1, 2, 3], "name": "mitotic"},
        {"point": [1.5, 0, 0], "name": "normal"},
    ]
    assert [each["name"] for each in examples["cells"]["b_2"]] == ["x", "y"]


def test_empty_rows_count(read):
    examples, errors = read(HEADER + "\n,,,,,,\n" + GOOD)
    assert errors == []
    assert len(examples["nuclei"]) == 2
    _, (error,) = read(HEADER + "\n" + GOOD + "a,nuclei,1,2,3,,\n")
    assert "row 5: class is missing" in error


CASES = {
    "unknown stack 'A'; known: a, b_2": "A,nuclei,1,2,3,mitotic,",
    "unknown object 'nucleus'; did you mean 'nuclei'?": "a,nucleus,1,2,3,mitotic,",
    "stack 'a' has no channel 'membrane', which shows cells": "a,cells,1,2,3,mitotic,",
    "class is missing; fill it in": "a,nuclei,1,2,3,,",
    "class 'in mitosis' is not a valid name; use letters, digits": "a,nuclei,1,2,3,in mitosis,",
    "y_um 'two' is not valid; give a number of um": "a,nuclei,1,two,3,mitotic,",
    "x_um 'nan' is not valid": "a,nuclei,1,2,nan,mitotic,",
}


@pytest.mark.parametrize("message", CASES)
def test_errors_have_row_value_and_fix(read, message):
    examples, errors = read(HEADER + GOOD + CASES[message] + "\n")
    assert examples == {}
    (error,) = [error for error in errors if message in error]
    assert "row 4: " in error


def test_errors_of_the_whole_table(read):
    _, errors = read(HEADER + "a,nuclei,1,2,3,mitotic,\na,nuclei,4,2,3,mitotic,\n")
    assert "all examples of nuclei have the class 'mitotic'; add examples of another" in errors[0]
    _, errors = read(HEADER)
    assert "it has no examples; add rows" in errors[0]
    _, errors = read(HEADER.replace("note", "clas") + GOOD)
    assert "unknown column 'clas'; did you mean 'class'?" in errors[0]
    _, errors = read(HEADER.replace("class", "klass") + GOOD)
    assert "has no column class" in errors[0]
