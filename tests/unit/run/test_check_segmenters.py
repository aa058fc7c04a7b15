"""Commands of other programs are checked before anything runs."""

import pytest

from cellstack.errors import InputError
from cellstack.run.check_segmenters import check_segmenters

COMMAND = {"method": "command", "command": {"command": "my-program {image} {output}"}}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"command": ""}, "run_segmenter.command.command is empty; give the command"),
        ({"command": "my-program {image}"}, "does not contain {output}; add it"),
        ({"command": "my-program {output} {model}"}, "'{model}' has an unknown placeholder"),
        ({"files": ["model.pt"]}, "run_segmenter.command.files: 'model.pt' does not exist"),
    ],
)
@pytest.mark.parametrize("is_preset", [False, True])
def test_a_wrong_command_of_a_segmenter_is_an_error_of_the_configuration(
    load_study, wrong, message, is_preset
):
    block = COMMAND | {"command": COMMAND["command"] | wrong}
    row = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
    rows = [row | {"preset": "own"}, row | {"stack": "b", "preset": "own"}]
    own = {"run_segmenter": block} if is_preset else {}
    config = {"presets": {"own": own}} | ({} if is_preset else {"run_segmenter": block})
    with pytest.raises(InputError) as error:
        check_segmenters(load_study(rows, **config))
    assert str(error.value).startswith("1 error in ")
    assert message in str(error.value)
    assert ("config.presets.own.run_segmenter" in str(error.value)) == is_preset


@pytest.mark.parametrize(
    "change",
    [{"include": "false"}, {"labels": "labels.tif"}, {"preset": "right"}, {"channel": "membrane"}],
)
def test_the_command_of_a_segmenter_that_no_row_uses_is_not_checked(load_study, change):
    rows = [
        {"stack": "a", "channel": "nuclei", "image": "a.tif"} | change,
        {"stack": "b", "channel": "nuclei", "image": "b.tif", "preset": "right"},
    ]
    study = load_study(
        rows,
        diameter_um={"nuclei": 10, "cells": 14},
        run_segmenter={"method": "command"},
        presets={"right": {"run_segmenter": COMMAND}},
    )
    check_segmenters(study)


def test_the_commands_of_a_sweep_are_checked(load_study):
    study = load_study(
        [{"stack": "a", "channel": "nuclei", "image": "a.tif", "ground_truth": "b.tif"}],
        sweep="preset\nright\nwrong\n",
        presets={
            "right": {"run_segmenter": COMMAND},
            "wrong": {"run_segmenter": {"method": "command"}},
        },
    )
    with pytest.raises(InputError) as error:
        check_segmenters(study)
    assert str(error.value).splitlines()[1:] == [
        "run 2 of the sweep: run_segmenter.command.command is empty; give the command of the "
        "program"
    ]
