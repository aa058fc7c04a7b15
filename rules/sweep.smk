rule collect_sweep:
    """Collect the scores of all runs of the sweep, and write the best run as a preset."""
    input:
        stack_scores=by_wildcards(targets.sweep_scores),
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
        settings=list(study.sweep_runs),
        stacks=study.swept_stacks(),
        presets=by_wildcards(study.sweep_presets),
        source=source_hash("collect_sweep"),
    script:
        "../scripts/collect_sweep.py"
