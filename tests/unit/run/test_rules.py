"""Functions of wildcards that the rules use; wildcards are like Snakemake's named lists."""

from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Params, Wildcards

from cellstack.errors import InputError
from cellstack.run.rules import (
    StageHelpers,
    by_wildcards,
    channel_of,
    name_params,
    shared_cores,
)


def wildcards(**given):
    return Wildcards(fromdict=given)


def test_a_function_gets_the_wildcards_that_it_names():
    def function(stack, object, suffix):
        return f"{stack}/{object}.{suffix}"

    call = by_wildcards(function, suffix="tif")
    assert call(wildcards(stack="a", object="cells", channel="x")) == "a/cells.tif"


def test_a_channel_follows_from_the_kind_of_object():
    call = by_wildcards(lambda stack, channel: (stack, channel))
    assert call(wildcards(stack="a", channel="dye")) == ("a", "dye")
    assert call(wildcards(stack="a", object="cells")) == ("a", "membrane")
    assert call(wildcards(stack="a", object="nuclei")) == ("a", "nuclei")
    assert call(wildcards(stack="a")) == ("a", "nuclei")
    assert channel_of(wildcards(stack="a")) == "nuclei"


def test_a_fixed_channel_is_kept():
    call = by_wildcards(lambda stack, channel: (stack, channel), channel="membrane")
    assert call(wildcards(stack="a", object="nuclei")) == ("a", "membrane")


def test_an_input_error_is_one_of_the_workflow():
    def fail():
        raise InputError("no row names a ground truth")

    with pytest.raises(WorkflowError, match="no row names a ground truth"):
        by_wildcards(fail)(wildcards())


class Settings:
    """Settings that name what they are for."""

    def argument_names(self, stage):
        return ["method", "options"]

    def arguments(self, stage, stack, channel):
        return {"method": f"{stage} {stack} {channel}", "options": {}}


class Folders:
    """Recipes under which a file is made by run 1."""

    def path_of(self, stage, file, stack, channel):
        return f"<results>/sweep/1/{stack}/{file} by {stage} for {channel}"


@pytest.fixture
def helpers():
    sources = SimpleNamespace(hash=lambda script: f"hash of {script}")
    inputs = SimpleNamespace(diameter_for=lambda *names: list(names))
    return StageHelpers(Settings(), Folders(), inputs, sources)


def test_params_of_a_stage(helpers):
    params = helpers.params("denoise")
    assert params["source"] == "hash of denoise"
    assert params["method"](wildcards(stack="a", object="cells")) == "denoise a membrane"
    params = helpers.params("denoise", "dye")
    assert params["method"](wildcards(stack="a", object="cells")) == "denoise a dye"


def test_files_of_another_stage(helpers):
    function = helpers.made_by("denoise", "<results>/{stack}/channels/{channel}/denoised.tif")
    assert function(wildcards(stack="a", channel="dye")) == (
        "<results>/sweep/1/a/channels/dye/denoised.tif by denoise for dye"
    )


def test_the_diameter_of_a_stage(helpers):
    function = helpers.diameter_for("segment_cells", "membrane")
    assert function(wildcards(stack="a")) == ["segment_cells", "a", "membrane"]


class Rule:
    """A rule with params like Snakemake's."""

    def __init__(self, params, snakefile="/rules/prepare.smk"):
        self.params, self.snakefile = Params(fromdict=params), snakefile

    def set_params(self, **added):
        for name, value in added.items():
            self.params.append(value)
            self.params._add_name(name)

    def settings(self, **given):
        return self.params.named_params(wildcards(**given))


def test_params_are_distinguished_by_name():
    swapped = [
        Rule({"z_um": first, "y_um": second, "stamp": stamp, "column": lambda w: w.stack})
        for first, second, stamp in (
            (1.5, 0.5, "x"),
            (0.5, 1.5, "x"),
            (0.5, 0.5, "x"),
            (1.5, 0.5, 3),
        )
    ]
    other = Rule({"a": lambda wildcards, input: 1}, "/another/Snakefile")
    without = Rule({"source": "x"})
    workflow = SimpleNamespace(rules=[*swapped, other, without], current_basedir="/rules")
    name_params(workflow)
    first, second, third, fourth = (rule.settings(stack="a") for rule in swapped)
    assert len({first, second, third}) == 3
    assert fourth == first  # the stamp is compared as it is
    assert swapped[0].settings(stack="b") != first
    assert "named_params" not in {*other.params.keys(), *without.params.keys()}


@pytest.mark.parametrize(
    ("local_exec", "remote_exec", "expected"),
    [(True, False, 8), (False, False, None), (True, True, None)],
)
def test_cores_are_shared_on_one_machine(local_exec, remote_exec, expected):
    workflow = SimpleNamespace(
        local_exec=local_exec,
        remote_exec=remote_exec,
        resource_settings=SimpleNamespace(cores=8),
    )
    assert shared_cores(workflow) == expected
