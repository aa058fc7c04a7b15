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


rule pack_archive:
    """Pack results, methods, configuration and workflow into one zip file, with a description."""
    input:
        files=[rules.all.input, inputs.archived_results()],
        provenance="<results>/provenance.json",
    output:
        archive="<results>/archive.zip",
    log:
        "<logs>/pack_archive.log",
    benchmark:
        "<benchmarks>/pack_archive.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("pack_archive"),
        runtime=minutes("pack_archive"),
    params:
        results=workflow.pathvars.get("results"),
        config=config,
        sheet=study.config["stacks"],
        tables=by_wildcards(inputs.files_of_configuration),
        inputs=by_wildcards(inputs.files_of_sheet),
        workflow=str(Path(str(workflow.current_basedir)).parent),
        include_inputs=study.config["archive"]["include_inputs"],
        source=source_hash("pack_archive"),
    script:
        "../scripts/pack_archive.py"
