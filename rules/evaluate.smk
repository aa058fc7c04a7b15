rule evaluate_labels:
    """Score the objects of a stack against the truth that the sheet names."""
    input:
        truths=scored_files("truth.tif"),
        splits=scored_files("split.tif"),
    output:
        scores="<results>/{stack}/scores.json",
    log:
        "<logs>/{stack}/evaluate_labels.log",
    benchmark:
        "<benchmarks>/{stack}/evaluate_labels.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(3),
        runtime=minutes(10),
    params:
        stack="{stack}",
        objects=scored_kinds,
        source=source_hash("evaluate_labels"),
    script:
        "../scripts/evaluate_labels.py"


rule collect_scores:
    """Collect the scores of all stacks that have a truth in two tables, with a dictionary of their columns."""
    input:
        stack_scores=collect("<results>/{stack}/scores.json", stack=stacks_with("truth", SEGMENTED)),
    output:
        scores=report("<results>/scores.csv", category="Tables", caption="../report/scores.rst"),
        stacks=report("<results>/stack_scores.csv", category="Tables", caption="../report/stack_scores.rst"),
        columns=report("<results>/score_columns.csv", category="Tables", caption="../report/score_columns.rst"),
    log:
        "<logs>/collect_scores.log",
    benchmark:
        "<benchmarks>/collect_scores.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(1),
        runtime=minutes(5),
    params:
        source=source_hash("collect_scores"),
    script:
        "../scripts/collect_scores.py"
