rule compare_groups:
    """Compare groups of stacks, with the stack or the animal as the experimental unit."""
    input:
        objects="<results>/objects.csv",
        stacks="<results>/stacks.csv",
    output:
        groups=report("<results>/groups.csv", category="Tables", caption="../report/groups.rst"),
        units="<results>/group_units.csv",
    log:
        "<logs>/compare_groups.log",
    benchmark:
        "<benchmarks>/compare_groups.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_groups"),
        runtime=minutes("compare_groups"),
    params:
        samples=measurements.samples(),
        columns=measurements.compared_columns(),
        reference=study.config["compare_groups"]["reference"],
        correction=study.config["compare_groups"]["correction"],
        confidence=study.config["compare_groups"]["confidence"],
        source=source_hash("compare_groups"),
    script:
        "../scripts/compare_groups.py"
