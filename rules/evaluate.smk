rule evaluate_labels:
    """Score the objects of a stack against the truth that the sheet names."""
    input:
        truths=collect("<results>/{{stack}}/{object}/truth.tif", object=["nuclei"]),
        splits=collect("<results>/{{stack}}/{object}/split.tif", object=["nuclei"]),
    output:
        scores="<results>/{stack}/scores.json",
    params:
        stack="{stack}",
        objects=["nuclei"],
        source=source_hash("evaluate_labels"),
    log:
        "<logs>/{stack}/evaluate_labels.log",
    benchmark:
        "<benchmarks>/{stack}/evaluate_labels.tsv"
    resources:
        mem_mb=memory(10),
        runtime=minutes(5),
    conda:
        "../envs/cellstack.yaml"
    script:
        "../scripts/evaluate_labels.py"


rule collect_scores:
    """Collect the scores of all stacks that have a truth in one table."""
    input:
        stack_scores=collect("<results>/{stack}/scores.json", stack=stacks_with("truth")),
    output:
        scores=report("<results>/scores.csv", category="Tables", caption="../report/scores.rst"),
    params:
        source=source_hash("collect_scores"),
    log:
        "<logs>/collect_scores.log",
    benchmark:
        "<benchmarks>/collect_scores.tsv"
    resources:
        mem_mb=memory(1),
        runtime=minutes(5),
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    script:
        "../scripts/collect_scores.py"
