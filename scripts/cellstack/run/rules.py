"""Helpers of the rules: the study, and functions of the wildcards of a job."""

import gc
import inspect
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cellstack.config.block_plan import BlockPlan
from cellstack.config.inputs import Inputs
from cellstack.config.measurements import check_classes
from cellstack.config.read_study import read_study
from cellstack.config.recipes import Recipes
from cellstack.config.schemas import Schemas
from cellstack.config.sheet import CHANNEL_OF
from cellstack.config.study import Study
from cellstack.errors import InputError
from cellstack.files.image_sizes import ImageSizes
from cellstack.run.check_segmenters import check_segmenters
from cellstack.run.check_yaml import check_yaml
from cellstack.run.failed import missing_stacks
from cellstack.run.folders import check_folders
from cellstack.run.history import LOCAL
from cellstack.run.job import RERUN_PARAMS
from cellstack.run.signatures import keep_signature
from cellstack.run.sources import Sources


def collect_garbage_rarely() -> None:
    """Run Python's garbage collection less often than by default.

    A graph of jobs consists of millions of objects that stay until the end, and by default Python
    goes through them again and again: a sixth of the time of a dry run of many stacks.
    """
    gc.set_threshold(100_000, 20, 20)


def open_study(workflow: Any, config: dict[str, Any], folder: str | Path) -> Study:
    """Read the study of a run.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    config : dict
        The configuration as the user wrote it.
    folder : path-like
        Folder ``config`` of the workflow, with its schemas.

    Returns
    -------
    Study

    Raises
    ------
    snakemake.exceptions.WorkflowError
        With one line for each error of the configuration, the sheet and the sweep, or if
        ``.snakemake`` cannot be written to.
    """
    from snakemake.exceptions import WorkflowError

    folders = workflow.pathvars
    if workflow.is_main_process:
        logging.raiseExceptions = False  # no traceback for each line of a log on a full disk
        for path in workflow.configfiles:  # Snakemake accepts keys that are written twice
            check_yaml(path)
    try:
        study = read_study(
            config,
            Schemas.read(Path(folder)),
            folders.get("resources"),
            check=workflow.is_main_process,
            sizes=ImageSizes(LOCAL / "cellstack" / "image_sizes.json"),
        )
        if workflow.is_main_process:
            check_classes(study)
            study.check_marks()
            check_segmenters(study)
        skip = study.config.pop("skip_incomplete_stacks")  # does not change the results of a stack
        if skip in (True, "true"):
            objects = {stack: study.objects(stack) for stack in study.stacks}
            failed = Path(folders.get("logs"), "failed.csv")
            study = study.without(missing_stacks(objects, folders.get("results"), failed))
        BlockPlan(study).units_in_blocks("nuclei")  # reports stacks that cannot be cut
    except InputError as error:
        raise WorkflowError(str(error)) from None
    if workflow.is_main_process:
        check_folders([LOCAL])
        study.sizes.save()
    return study


def shared_cores(workflow: Any) -> int | None:
    """Return the number of cores that all jobs share on this machine; None on a cluster."""
    if workflow.remote_exec or not workflow.local_exec:
        return None
    cores: int | None = workflow.resource_settings.cores
    return cores


def channel_of(wildcards: Any) -> str:
    """Return the channel of a job: its own, or the one that shows its kind of object."""
    return wildcards.get("channel") or CHANNEL_OF[wildcards.get("object", "nuclei")]


def by_wildcards(function: Callable[..., Any], **fixed: Any) -> Callable[[Any], Any]:
    """Return a function of wildcards that calls a function with those that it has parameters for.

    Parameters
    ----------
    function : callable
        Its parameters are named like wildcards: `stack`, `channel`, `object`. A parameter
        `channel` is also filled in for jobs on a kind of object.
    **fixed
        Other arguments.

    Returns
    -------
    callable
        For an input, param or resource of a rule.
    """
    names = [name for name in inspect.signature(function).parameters if name not in fixed]

    @keep_signature
    def call(wildcards: Any) -> Any:
        given = {name: wildcards[name] for name in names if wildcards.get(name) is not None}
        if "channel" in names:
            given.setdefault("channel", channel_of(wildcards))
        try:
            return function(**given, **fixed)
        except InputError as error:
            from snakemake.exceptions import WorkflowError

            raise WorkflowError(str(error)) from None

    return call


def name_params(workflow: Any) -> None:
    """Add to each rule a param with a hash of the names and values of its other params.

    Snakemake compares the params of a job as a set of values, without their names: it does not
    notice that two of them were swapped, or that one got the value of another.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    """
    folder = Path(str(workflow.current_basedir))
    for rule in workflow.rules:
        params = {name: each for name, each in rule.params.items() if name not in RERUN_PARAMS}
        if params and Path(str(rule.snakefile)).parent == folder:
            rule.set_params(named_params=_naming(params))


def _naming(params: dict[str, Any]) -> Callable[[Any], str]:
    @keep_signature
    def named_params(wildcards: Any) -> str:
        values = {
            name: each(wildcards) if callable(each) else each for name, each in params.items()
        }
        return sha256(repr(values).encode()).hexdigest()[:16]

    return named_params


def _row_of(channel: str | Callable[[str], str] | None, wildcards: Any) -> str:
    """Return the channel whose row has the settings of a job, see :meth:`StageHelpers.params`."""
    if callable(channel):
        return channel(wildcards.stack)
    return channel or channel_of(wildcards)


class StageHelpers:
    """Params and inputs of the rules of a stage.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    inputs : Inputs
    sources : Sources
    """

    def __init__(self, study: Study, recipes: Recipes, inputs: Inputs, sources: Sources) -> None:
        self._study = study
        self._recipes = recipes
        self._inputs = inputs
        self._sources = sources

    def params(
        self, stage: str, channel: str | Callable[[str], str] | None = None
    ) -> dict[str, Any]:
        """Return the params of a stage: its settings for the stack at hand, and its source.

        Parameters
        ----------
        stage : str
            Name of the rule.
        channel : str or callable, optional
            Channel whose row of the sheet has the preset and the diameter, or a function that
            returns it for a stack; by default that of the job, see :func:`channel_of`.

        Returns
        -------
        dict of str to callable or str
        """

        def argument(key: str) -> Callable[[Any], Any]:
            @keep_signature
            def value(wildcards: Any) -> Any:
                row = _row_of(channel, wildcards)
                return self._study.arguments(stage, wildcards.stack, row)[key]

            return value

        names = self._study.argument_names(stage)
        return {key: argument(key) for key in names} | {"source": self._sources.hash(stage)}

    def packages(self) -> dict[str, list[str]]:
        """Return the modules that each stage imports, see :meth:`Sources.imports`."""
        stages = [*self._study.schemas.stages["properties"], "import_labels", "measure_objects"]
        stages.append("compare_groups")
        return {stage: self._sources.imports(stage) for stage in stages}

    def simulation(self) -> dict[str, Any]:
        """Return the params of simulate_stack, from the simulation in the configuration."""

        def parameter(key: str) -> Callable[[Any], Any]:
            simulations = self._study.config["simulate_stack"]
            return lambda wildcards: simulations[wildcards.simulation][key]

        schema = self._study.schemas.config["properties"]["simulate_stack"]
        names = schema["additionalProperties"]["properties"]
        source = {"source": self._sources.hash("simulate_stack")}
        return {key: parameter(key) for key in names} | source

    def made_by(self, stage: str, path: str, channel: str | None = None) -> Callable[[Any], str]:
        """Return the input function for a file of a stage.

        A run of a sweep reads the file of an earlier run if that would be identical.

        Parameters
        ----------
        stage : str
            Name of the rule that makes the file.
        path : str
            Its path as in the output of that rule, with ``{stack}``.
        channel : str, optional
            Channel whose settings the stage has; by default that of the job.

        Returns
        -------
        callable
        """
        _, file = path.split("{stack}/")

        @keep_signature
        def input_file(wildcards: Any) -> str:
            row = channel or channel_of(wildcards)
            name = file.format(**wildcards)
            return self._recipes.path_of(stage, name, wildcards.stack, row)

        return input_file

    def diameter_for(
        self, stage: str, channel: str | Callable[[str], str] | None = None
    ) -> Callable[[Any], list[str]]:
        """Return the input function for the diameter that the settings of a stage depend on.

        It returns a file where the diameter is estimated, and nothing where it is given.
        """

        @keep_signature
        def input_files(wildcards: Any) -> list[str]:
            row = _row_of(channel, wildcards)
            return self._inputs.diameter_for(stage, wildcards.stack, row)

        return input_files
