"""The sweep: the stages once more under each row of a table of settings, on the stacks that have a truth.

Files of a run stand in <results>/sweep/RUN/STACK. What a run shares with the configuration as it stands, or with an earlier run, is not
made again: the stages of the sweep read it from there. Run 0 is the configuration as it stands.
"""

from snakemake.rules import Wildcards

swept_stacks = [stack for stack in stacks_with("truth", SEGMENTED) if not kinds_with("labels", stack, SEGMENTED)]


@cache
def rows_of_run(place):
    """Give the rows of the sheet for a stack, as they are under a run of the sweep."""
    _, run, stack = place.split("/")
    tried = sweep_runs[int(run) - 1]
    rows = {channel: dict(row) for channel, row in stacks[stack].items()}
    for channel, row in rows.items():
        base = tried.get("preset", row["preset"])
        row["preset"] = f"sweep/{run}/{base}"
        presets.setdefault(row["preset"], settings.merge(presets[base], sweep.nest(tried)))
        if f"diameter_um.{sheet.OBJECT_OF.get(channel)}" in tried:
            row["diameter_um"] = tried[f"diameter_um.{sheet.OBJECT_OF[channel]}"]
    return rows


class StacksAndRuns(dict):
    """The sheet, in which a stack can also be looked up as it is under a run of the sweep."""

    def __missing__(self, place):
        return rows_of_run(place)


stacks = StacksAndRuns(stacks)


def expand(name, path, run, stack):
    """Give the params and inputs of a swept rule for a file that it makes, as they are under a run; files are named as in run 0."""
    swept = SWEPT[name]
    wildcards = Wildcards(fromdict={**swept.get_wildcards(path), "stack": sweep.place(run, stack)})
    params = {key: value(wildcards) if callable(value) else value for key, value in swept.params.items()}
    inputs, *_ = swept.expand_input(wildcards)
    return params, {key: sweep.without_place(files, run, stack) for key, files in inputs.items()}


def maker_of(path):
    """Name the swept rule that makes a file of run 0, or None."""
    return next((name for name, swept in SWEPT.items() if swept.is_producer(path)), None)


@cache
def history(path, run, stack):
    """Sum up what decides on the content of a file under a run: settings and code of its rule, and the same for its inputs."""
    name = maker_of(path)
    if name is None:
        return path
    params, inputs = expand(name, path, run, stack)
    sources = [history(file, run, stack) for files in inputs.values() for file in sweep.as_list(files)]
    return hashlib.sha256(json.dumps([name, params, sources], sort_keys=True).encode()).hexdigest()


def shared(path, run, stack):
    """Name the file that holds what a file holds under a run: that of the first run with the same history."""
    first = next(each for each in range(run + 1) if history(path, each, stack) == history(path, run, stack))
    return sweep.with_place(path, first, stack, workflow.pathvars.get("results"))


def inputs_of_run(name):
    """Give the inputs of a swept rule for the run at hand."""

    def inputs(wildcards):
        run, stack = int(wildcards.run), wildcards.stack
        path = SWEPT[name].output[0].apply_wildcards(wildcards)
        _, named = expand(name, path, run, stack)
        return {
            key: shared(files, run, stack) if isinstance(files, str) else [shared(file, run, stack) for file in files]
            for key, files in named.items()
        }

    return inputs


def params_of_run(name):
    """Give the params of a swept rule for the run at hand."""

    def param(value):
        def under_run(wildcards):
            return value(Wildcards(fromdict={**wildcards, "stack": sweep.place(int(wildcards.run), wildcards.stack)}))

        return under_run if callable(value) else value

    return {key: param(value) for key, value in SWEPT[name].params.items()}


def claim_of(swept, resource):
    """Claim as much of a resource as the swept rule does."""

    def claim(wildcards, attempt):
        return swept.resources[resource].evaluate(wildcards, attempt=attempt).value

    return claim


def presets_of_runs(wildcards):
    """Give for each run the preset below its settings, where all its stacks have the same one, else nothing."""
    sheets = {
        stacks[stack][sheet.CHANNEL_OF[kind]]["preset"]
        for stack in swept_stacks
        for kind in kinds_with("truth", stack, SEGMENTED)
    }
    bases = [{tried["preset"]} if "preset" in tried else sheets for tried in ({}, *sweep_runs)]
    return [presets[next(iter(names))] if len(names) == 1 else {} for names in bases]


def scores_of_runs(wildcards):
    """List the scores of all runs, run 0 first, and in each the stacks in the order of the sheet."""
    if not sweep_runs:
        raise WorkflowError(
            "config.sweep is missing; name a table of settings to try, a column per key and a row per run"
        )
    if not swept_stacks:
        raise WorkflowError(
            f"{config['stacks']}: no row to sweep; fill in the column `truth` of stacks without `labels`"
        )
    results = workflow.pathvars.get("results")
    return [
        shared(f"{results}/{stack}/scores.json", run, stack)
        for run in range(len(sweep_runs) + 1)
        for stack in swept_stacks
    ]


def sweep_rule(name, swept):
    """Add a rule that does under each run of the sweep what a rule of the workflow does."""

    rule:
        name:
            f"sweep_{name}"
        input:
            unpack(inputs_of_run(name)),
        output:
            **{key: sweep.pattern_of_runs(path) for key, path in swept.output.items()},
        log:
            sweep.pattern_of_runs(swept.log[0]),
        benchmark:
            sweep.pattern_of_runs(swept.benchmark)
        wildcard_constraints:
            run="[0-9]+",
        conda:
            "../envs/cellstack.yaml"
        resources:
            mem_mb=claim_of(swept, "mem_mb"),
            runtime=claim_of(swept, "runtime"),
        params:
            **params_of_run(name),
        script:
            f"../scripts/{name}.py"


SWEPT = {}
if sweep_runs:
    SWEPT |= {name: getattr(rules, name).rule for name in (*sweep.stage_names(STAGES_SCHEMA), *sweep.WITHOUT_SETTINGS)}
for name, swept in SWEPT.items():
    sweep_rule(name, swept)
