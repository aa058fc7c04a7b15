rule measure_quality:
    """Measure the image quality of each channel: noise, saturation, dimming, focus."""
    input:
        raw=by_wildcards(inputs.raw_stacks),
        records=by_wildcards(inputs.import_records),
    output:
        quality="<results>/{stack}/quality.json",
    log:
        "<logs>/{stack}/measure_quality.log",
    benchmark:
        "<benchmarks>/{stack}/measure_quality.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_quality"),
        runtime=minutes("measure_quality"),
    params:
        channels=by_wildcards(study.channels),
        source=source_hash("measure_quality"),
    script:
        "../scripts/measure_quality.py"


rule measure_objects:
    """Measure shape and raw intensities of the selected objects, and flag outliers."""
    input:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        raw=by_wildcards(inputs.raw_stacks),
        seeds=by_wildcards(inputs.seeds_of_object),
        tables=by_wildcards(inputs.tables_of_object_kind),
        no_data=by_wildcards(inputs.no_data),
        corrections=by_wildcards(inputs.correction_record),
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
        channels=by_wildcards(study.channels),
        groups=study.config["measure_objects"]["columns"],
        source=source_hash("measure_objects"),
    script:
        "../scripts/measure_objects.py"


rule crop_objects:
    """Crop each selected object, all channels and its mask, and write an index."""
    input:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        raw=by_wildcards(inputs.raw_stacks),
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
        **params_of("crop_objects"),
        stack="{stack}",
        object="{object}",
        channels=by_wildcards(study.channels),
    script:
        "../scripts/crop_objects.py"


rule summarize_stack:
    """Summarize a stack in one row, and its measurements in one row each."""
    input:
        objects="<results>/{stack}/{object}/objects.csv",
        selection="<results>/{stack}/{object}/selection.csv",
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        records=by_wildcards(inputs.import_records),
        diameter=by_wildcards(inputs.diameter_file),
        record=by_wildcards(inputs.import_record),
        threshold=by_wildcards(inputs.threshold_record),
        estimate=by_wildcards(inputs.diameter_estimate),
        quality="<results>/{stack}/quality.json",
        corrections=by_wildcards(inputs.correction_record),
    output:
        summary="<results>/{stack}/{object}/summary.csv",
        statistics="<results>/{stack}/{object}/statistics.csv",
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
        diameter_um=by_wildcards(study.object_diameter),
        diameter_source=by_wildcards(study.diameter_source),
        source=source_hash("summarize_stack"),
    script:
        "../scripts/summarize_stack.py"


rule collect_objects:
    """Collect the objects of all stacks in one table."""
    input:
        tables=study.of_each_object("<results>/{stack}/{object}/objects.csv"),
    output:
        objects=report("<results>/objects.csv", category="Tables", caption="../report/objects.rst"),
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
        user_columns=study.user_columns(),
        source=source_hash("collect_objects"),
    script:
        "../scripts/collect_objects.py"


rule collect_stacks:
    """Collect the summaries, the statistics and the image quality of all stacks."""
    input:
        tables=study.of_each_object("<results>/{stack}/{object}/summary.csv"),
        statistics_tables=study.of_each_object("<results>/{stack}/{object}/statistics.csv"),
        quality_records=study.of_each_stack("<results>/{stack}/quality.json"),
    output:
        stacks=report("<results>/stacks.csv", category="Tables", caption="../report/stacks.rst"),
        checks=report("<results>/checks.csv", category="Tables", caption="../report/checks.rst"),
        statistics=report(
            "<results>/statistics.csv", category="Tables", caption="../report/statistics.rst"
        ),
        quality=report("<results>/quality.csv", category="Tables", caption="../report/quality.rst"),
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
        user_columns=study.user_columns(),
        group_by=study.config["group_by"],
        missing=study.incomplete,
        source=source_hash("collect_stacks"),
    script:
        "../scripts/collect_stacks.py"


rule describe_columns:
    """Write the unit and the definition of each column of the tables."""
    output:
        columns=report("<results>/columns.csv", category="Tables", caption="../report/columns.rst"),
    log:
        "<logs>/describe_columns.log",
    benchmark:
        "<benchmarks>/describe_columns.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("describe_columns"),
        runtime=minutes("describe_columns"),
    params:
        groups=study.column_groups(),
        channels=study.all_channels(),
        objects=study.kinds_found(),
        from_sheet=study.user_column_names(),
        has_scores=bool(study.stacks_with("ground_truth")),
        has_corrections=bool(study.corrections),
        source=source_hash("describe_columns"),
    script:
        "../scripts/describe_columns.py"
