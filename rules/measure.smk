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
        spot_channels=by_wildcards(measurements.spot_channels),
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


use rule measure_objects as measure_unclassified with:
    output:
        objects="<results>/{stack}/{object}/measured.csv",
    log:
        "<logs>/{stack}/{object}/measure_unclassified.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_unclassified.tsv"


rule fit_classes:
    """Find the thresholds of classes in all stacks, or fit a classifier to examples."""
    input:
        tables=by_wildcards(inputs.measured_tables),
        segmentations=by_wildcards(inputs.example_segmentations),
    output:
        fitted="<results>/{object}_classes.json",
    log:
        "<logs>/{object}_fit_classes.log",
    benchmark:
        "<benchmarks>/{object}_fit_classes.tsv"
    localrule: True
    conda:
        "../envs/classify.yaml"
    resources:
        mem_mb=memory("fit_classes"),
        runtime=minutes("fit_classes"),
    params:
        conditions=by_wildcards(measurements.conditions),
        examples=by_wildcards(measurements.examples_of),
        columns=study.config["classify_objects"]["columns"],
        source=source_hash("fit_classes"),
    script:
        "../scripts/fit_classes.py"


rule classify_objects:
    """Assign a class to each measured object."""
    input:
        measured="<results>/{stack}/{object}/measured.csv",
        fitted=by_wildcards(inputs.fitted_classes),
    output:
        objects="<results>/{stack}/{object}/objects.csv",
        record="<results>/{stack}/{object}/classes.json",
    log:
        "<logs>/{stack}/{object}/classify_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/classify_objects.tsv"
    wildcard_constraints:
        object=measurements.classified_pattern(),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("classify_objects"),
        runtime=minutes("classify_objects"),
    params:
        conditions=by_wildcards(measurements.conditions),
        source=source_hash("classify_objects"),
    script:
        "../scripts/classify_objects.py"


rule measure_relations:
    """Measure correlations of channels, intensities above background, and radial distributions."""
    input:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        raw=by_wildcards(inputs.raw_stacks),
        records=by_wildcards(inputs.import_records),
        pairs=by_wildcards(inputs.pairs_of_cells),
    output:
        relations="<results>/{stack}/{object}/relations.csv",
    log:
        "<logs>/{stack}/{object}/measure_relations.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_relations.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_relations"),
        runtime=minutes("measure_relations"),
    params:
        channels=by_wildcards(study.channels),
        groups=by_wildcards(measurements.relation_groups),
        options=study.config["measure_relations"],
        source=source_hash("measure_relations"),
    script:
        "../scripts/measure_relations.py"


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
        mask=by_wildcards(inputs.mask_records),
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
        counting_frame=by_wildcards(study.argument, key="counting_frame", stage="select_objects"),
        counting_guard_um=by_wildcards(
            study.argument, key="counting_guard_um", stage="select_objects"
        ),
        source=source_hash("summarize_stack"),
    script:
        "../scripts/summarize_stack.py"


rule collect_objects:
    """Collect the objects of all stacks in one table."""
    input:
        tables=by_wildcards(study.of_each_object, pattern="<results>/{stack}/{object}/objects.csv"),
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


rule collect_classes:
    """Count the objects of each class in each stack."""
    input:
        tables=by_wildcards(targets.classified_tables),
        fitted=targets.all_fitted_classes(),
        records=targets.class_records(),
    output:
        classes=report("<results>/classes.csv", category="Tables", caption="../report/classes.rst"),
    log:
        "<logs>/collect_classes.log",
    benchmark:
        "<benchmarks>/collect_classes.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_classes"),
        runtime=minutes("collect_classes"),
    params:
        sources=measurements.classified_keys(),
        class_names=measurements.classes_by_kind(),
        user_columns=study.user_columns(),
        source=source_hash("collect_classes"),
    script:
        "../scripts/collect_classes.py"


rule collect_stacks:
    """Collect the summaries, the statistics and the image quality of all stacks."""
    input:
        tables=by_wildcards(study.of_each_object, pattern="<results>/{stack}/{object}/summary.csv"),
        statistics_tables=by_wildcards(
            study.of_each_object, pattern="<results>/{stack}/{object}/statistics.csv"
        ),
        quality_records=by_wildcards(study.of_each_stack, pattern="<results>/{stack}/quality.json"),
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
        groups=measurements.column_groups(),
        shells=study.config["measure_relations"]["shells"],
        channels=study.all_channels(),
        objects=study.kinds_found(),
        from_sheet=study.user_column_names(),
        has_scores=bool(study.stacks_with("ground_truth")),
        has_spot_scores=bool(measurements.scored_spots()),
        has_corrections=bool(study.corrections),
        has_groups=bool(measurements.samples()),
        source=source_hash("describe_columns"),
    script:
        "../scripts/describe_columns.py"
