rule measure_objects:
    """Measure the selected objects in um, and the raw intensities of all channels in them, and flag what looks wrong."""
    input:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        split="<results>/{stack}/{object}/split.tif",
        raw=raw_stacks,
        seeds=seeds_of_object,
        pairs=pairs_of_cells,
    output:
        objects="<results>/{stack}/{object}/objects.csv",
    log:
        "<logs>/{stack}/{object}/measure_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_objects"),
        runtime=minutes("measure_objects"),
    params:
        stack="{stack}",
        object="{object}",
        channels=channel_names,
        source=source_hash("measure_objects"),
    script:
        "../scripts/measure_objects.py"


rule crop_objects:
    """Cut each selected object out of its stack, all channels and its mask, with an index."""
    input:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        raw=raw_stacks,
        diameter=diameter_for("crop_objects"),
    output:
        crops=directory("<results>/{stack}/{object}/crops"),
    log:
        "<logs>/{stack}/{object}/crop_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/crop_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("crop_objects"),
        runtime=minutes("crop_objects"),
    params:
        **stage("crop_objects"),
        stack="{stack}",
        object="{object}",
        channels=channel_names,
    script:
        "../scripts/crop_objects.py"


rule summarize_stack:
    """Summarize the objects of a stack in one row."""
    input:
        objects="<results>/{stack}/{object}/objects.csv",
        selection="<results>/{stack}/{object}/selection.csv",
        diameter=estimated_diameter,
    output:
        summary="<results>/{stack}/{object}/summary.csv",
    log:
        "<logs>/{stack}/{object}/summarize_stack.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/summarize_stack.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("summarize_stack"),
        runtime=minutes("summarize_stack"),
    params:
        stack="{stack}",
        object="{object}",
        diameter_um=object_diameter,
        diameter_source=diameter_source,
        source=source_hash("summarize_stack"),
    script:
        "../scripts/summarize_stack.py"


rule collect_objects:
    """Collect the objects of all stacks in one table, with a dictionary of its columns."""
    input:
        tables=of_each_kind("<results>/{stack}/{object}/objects.csv"),
    output:
        objects=report("<results>/objects.csv", category="Tables", caption="../report/objects.rst"),
        columns=report("<results>/columns.csv", category="Tables", caption="../report/columns.rst"),
    log:
        "<logs>/collect_objects.log",
    benchmark:
        "<benchmarks>/collect_objects.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_objects"),
        runtime=minutes("collect_objects"),
    params:
        user_columns=user_columns(),
        source=source_hash("collect_objects"),
    script:
        "../scripts/collect_objects.py"


rule collect_stacks:
    """Collect the summaries of all stacks in one table."""
    input:
        tables=of_each_kind("<results>/{stack}/{object}/summary.csv"),
    output:
        stacks=report("<results>/stacks.csv", category="Tables", caption="../report/stacks.rst"),
    log:
        "<logs>/collect_stacks.log",
    benchmark:
        "<benchmarks>/collect_stacks.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_stacks"),
        runtime=minutes("collect_stacks"),
    params:
        user_columns=user_columns(),
        missing=missing,
        source=source_hash("collect_stacks"),
    script:
        "../scripts/collect_stacks.py"
