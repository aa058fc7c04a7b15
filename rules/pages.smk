rule write_evaluation:
    """Write the page of scores: F1 over IoU, tables and the largest errors."""
    input:
        scores="<results>/scores.csv",
        stack_scores="<results>/stack_scores.csv",
        figures=inputs.error_figures(),
        raw=inputs.all_channels("raw.tif", study.stacks_with("ground_truth")),
        records=inputs.all_channels("import.json", study.stacks_with("ground_truth")),
    output:
        evaluation=report(
            "<results>/evaluation.html", category="Evaluation", caption="../report/evaluation.rst"
        ),
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
        images=inputs.all_images(study.stacks_with("ground_truth")),
        software=provenance.versions_of(workflow),
        source=source_hash("write_evaluation"),
    script:
        "../scripts/write_evaluation.py"
