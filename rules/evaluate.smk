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
        mem_mb=memory("evaluate_labels"),
        runtime=minutes("evaluate_labels"),
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
        mem_mb=memory("collect_scores"),
        runtime=minutes("collect_scores"),
    params:
        source=source_hash("collect_scores"),
    script:
        "../scripts/collect_scores.py"


rule plot_faults:
    """Draw the worst objects of a stack beside their truth, in three views, with what is wrong in words."""
    input:
        raw=raw_of_object,
        truth="<results>/{stack}/{object}/truth.tif",
        split="<results>/{stack}/{object}/split.tif",
        scores="<results>/{stack}/scores.json",
    output:
        faults=report(
            "<results>/{stack}/figures/{object}_faults.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/faults.rst",
        ),
    log:
        "<logs>/{stack}/{object}/plot_faults.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_faults.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_faults"),
        runtime=minutes("plot_faults"),
    params:
        object="{object}",
        title="{stack}",
        note=note,
        source=source_hash("plot_faults"),
    script:
        "../scripts/plot_faults.py"


rule write_evaluation:
    """Write one page with the curves of F1 over IoU, the table of scores and the worst objects of each stack."""
    input:
        scores="<results>/scores.csv",
        stack_scores="<results>/stack_scores.csv",
        faults=[
            f"<results>/{stack}/figures/{kind}_faults.png"
            for stack in stacks_with("truth", SEGMENTED)
            for kind in kinds_with("truth", stack, SEGMENTED)
        ],
    output:
        evaluation=report("<results>/evaluation.html", category="Evaluation", caption="../report/evaluation.rst"),
    log:
        "<logs>/write_evaluation.log",
    benchmark:
        "<benchmarks>/write_evaluation.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_evaluation"),
        runtime=minutes("write_evaluation"),
    params:
        source=source_hash("write_evaluation"),
    script:
        "../scripts/write_evaluation.py"
