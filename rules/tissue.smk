rule measure_neighbors:
    """Measure distances, contacts and density of neighbouring objects."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        others=by_wildcards(inputs.objects_of_other_kind),
        no_data=by_wildcards(inputs.no_data),
        diameter=diameter_for("measure_neighbors"),
    output:
        neighbors="<results>/{stack}/{object}/neighbors.csv",
        neighborhood="<results>/{stack}/{object}/neighborhood.csv",
    log:
        "<logs>/{stack}/{object}/measure_neighbors.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_neighbors.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_neighbors"),
        runtime=minutes("measure_neighbors"),
    params:
        **params_of("measure_neighbors"),
        stack="{stack}",
        object="{object}",
        groups=measurements.neighbor_groups(),
    script:
        "../scripts/measure_neighbors.py"


rule collect_neighbors:
    """Collect the neighbours of all stacks in one table."""
    input:
        tables=by_wildcards(
            study.of_each_object, pattern="<results>/{stack}/{object}/neighbors.csv"
        ),
    output:
        neighbors="<results>/neighbors.csv",
    log:
        "<logs>/collect_neighbors.log",
    benchmark:
        "<benchmarks>/collect_neighbors.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_neighbors"),
        runtime=minutes("collect_neighbors"),
    params:
        user_columns=study.user_columns(),
        source=source_hash("collect_neighbors"),
    script:
        "../scripts/collect_neighbors.py"


rule measure_class_distances:
    """Measure the distance of each object to the nearest object of each class."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        objects="<results>/{stack}/{object}/objects.csv",
        record="<results>/{stack}/{object}/classes.json",
    output:
        distances="<results>/{stack}/{object}/class_distances.csv",
    log:
        "<logs>/{stack}/{object}/measure_class_distances.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_class_distances.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_class_distances"),
        runtime=minutes("measure_class_distances"),
    params:
        stack="{stack}",
        object="{object}",
        class_names=by_wildcards(measurements.class_names),
        source=source_hash("measure_class_distances"),
    script:
        "../scripts/measure_class_distances.py"


rule collect_class_distances:
    """Collect the distances between classes of all stacks in one table."""
    input:
        tables=by_wildcards(targets.class_distances),
    output:
        distances="<results>/class_distances.csv",
    log:
        "<logs>/collect_class_distances.log",
    benchmark:
        "<benchmarks>/collect_class_distances.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_class_distances"),
        runtime=minutes("collect_class_distances"),
    params:
        user_columns=study.user_columns(),
        source=source_hash("collect_class_distances"),
    script:
        "../scripts/collect_class_distances.py"


rule segment_tissue:
    """Segment the tissue in one channel of a stack."""
    input:
        raw=by_wildcards(inputs.tissue_image),
        no_data=by_wildcards(inputs.no_data_of_tissue),
        diameter=diameter_for("segment_tissue", measurements.main_channel),
    output:
        mask="<results>/{stack}/tissue/mask.tif",
    log:
        "<logs>/{stack}/tissue/segment_tissue.log",
    benchmark:
        "<benchmarks>/{stack}/tissue/segment_tissue.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("segment_tissue"),
        runtime=minutes("segment_tissue"),
    params:
        **params_of("segment_tissue", measurements.main_channel),
    script:
        "../scripts/segment_tissue.py"


rule import_regions:
    """Read the label image of the regions of a stack."""
    input:
        image=by_wildcards(inputs.made_region_files),
        raw=by_wildcards(inputs.main_image),
    output:
        regions="<results>/{stack}/tissue/regions.tif",
    log:
        "<logs>/{stack}/tissue/import_regions.log",
    benchmark:
        "<benchmarks>/{stack}/tissue/import_regions.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("import_regions"),
        runtime=minutes("import_regions"),
    params:
        downsample=by_wildcards(measurements.downsampling),
        image=by_wildcards(inputs.region_files),
        stamp=by_wildcards(inputs.region_stamp),
        source=source_hash("import_regions"),
    script:
        "../scripts/import_regions.py"


rule measure_regions:
    """Locate objects in the tissue and its regions, and count them there."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        tissue=by_wildcards(inputs.tissue_mask),
        regions=by_wildcards(inputs.region_labels),
        no_data=by_wildcards(inputs.no_data),
    output:
        places="<results>/{stack}/{object}/tissue.csv",
        table="<results>/{stack}/{object}/regions.csv",
    log:
        "<logs>/{stack}/{object}/measure_regions.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_regions.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_regions"),
        runtime=minutes("measure_regions"),
    params:
        stack="{stack}",
        object="{object}",
        names=study.config["measure_regions"]["names"],
        counting_frame=by_wildcards(study.argument, key="counting_frame", stage="select_objects"),
        counting_guard_um=by_wildcards(
            study.argument, key="counting_guard_um", stage="select_objects"
        ),
        source=source_hash("measure_regions"),
    script:
        "../scripts/measure_regions.py"


rule collect_regions:
    """Collect volumes, counts and densities in tissue and regions of all stacks."""
    input:
        tables=by_wildcards(targets.region_tables),
    output:
        regions=report("<results>/regions.csv", category="Tables", caption="../report/regions.rst"),
    log:
        "<logs>/collect_regions.log",
    benchmark:
        "<benchmarks>/collect_regions.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_regions"),
        runtime=minutes("collect_regions"),
    params:
        user_columns=study.user_columns(),
        source=source_hash("collect_regions"),
    script:
        "../scripts/collect_regions.py"
