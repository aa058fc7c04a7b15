rule write_methods:
    """Write the methods section of a paper about this run, and what it cites."""
    input:
        stacks="<results>/stacks.csv",
        provenance="<results>/provenance.json",
        records=inputs.all_channels("import.json"),
    output:
        methods="<results>/methods.md",
        bibliography="<results>/methods.bib",
    log:
        "<logs>/write_methods.log",
    benchmark:
        "<benchmarks>/write_methods.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_methods"),
        runtime=minutes("write_methods"),
    params:
        groups=recipes.groups_of_settings(),
        images=inputs.all_images(),
        packages=stages.packages(),
        simulated=study.simulated_stacks(),
        scored=study.scored_stacks(),
        source=source_hash("write_methods"),
    script:
        "../scripts/write_methods.py"
