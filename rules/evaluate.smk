rule evaluate_labels:
    """Score the objects of a stack against the truth that the sheet names."""
    input:
        truths=collect("<results>/{{stack}}/{object}/truth.tif", object=["nuclei"]),
        splits=collect("<results>/{{stack}}/{object}/split.tif", object=["nuclei"]),
    output:
        scores="<results>/{stack}/scores.json",
    log:
        "<logs>/{stack}/evaluate_labels.log",
    benchmark:
        "<benchmarks>/{stack}/evaluate_labels.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(10),
        runtime=minutes(5),
    params:
        stack="{stack}",
        objects=["nuclei"],
        source=source_hash("evaluate_labels"),
    script:
        "../scripts/evaluate_labels.py"


rule collect_scores:
    """Collect the scores of all stacks that have a truth in one table."""
    input:
        stack_scores=collect("<results>/{stack}/scores.json", stack=stacks_with("truth")),
    output:
        scores=report("<results>/scores.csv", category="Tables", caption="../report/scores.rst"),
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
