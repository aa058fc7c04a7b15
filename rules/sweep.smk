rule collect_sweep:
    """Collect the scores of all runs of the sweep, and write the best run as a preset."""
    input:
        stack_scores=scores_of_runs,
    output:
        scores="<results>/sweep/scores.csv",
        runs="<results>/sweep/runs.csv",
        best="<results>/sweep/best.yaml",
    log:
        "<logs>/collect_sweep.log",
    benchmark:
        "<benchmarks>/collect_sweep.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_sweep"),
        runtime=minutes("collect_sweep"),
    params:
        settings=sweep_runs,
        stacks=swept_stacks,
        presets=presets_of_runs,
        source=source_hash("collect_sweep"),
    script:
        "../scripts/collect_sweep.py"


rule plot_sweep:
    """Plot the scores of all runs over each key of the sweep."""
    input:
        scores="<results>/sweep/scores.csv",
    output:
        figure="<results>/sweep/sweep.png",
    log:
        "<logs>/plot_sweep.log",
    benchmark:
        "<benchmarks>/plot_sweep.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_sweep"),
        runtime=minutes("plot_sweep"),
    params:
        varied=list(dict.fromkeys(key for tried in sweep_runs for key in tried)),
        source=source_hash("plot_sweep"),
    script:
        "../scripts/plot_sweep.py"
