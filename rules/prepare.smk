rule simulate_stack:
    """Simulate a colony of cells as a stack with two channels, and its ground truth."""
    output:
        image="<resources>/simulated/{simulation}/image.ome.tif",
        nuclei="<resources>/simulated/{simulation}/nuclei.ome.tif",
        cells="<resources>/simulated/{simulation}/cells.ome.tif",
    log:
        "<logs>/simulated/{simulation}/simulate_stack.log",
    benchmark:
        "<benchmarks>/simulated/{simulation}/simulate_stack.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("simulate_stack"),
        runtime=minutes("simulate_stack"),
    params:
        **stages.simulation(),
    script:
        "../scripts/simulate_stack.py"


rule simulate_spots:
    """Simulate a channel of spots in the cells of a simulated stack."""
    input:
        cells="<resources>/simulated/{simulation}/cells.ome.tif",
    output:
        image="<resources>/simulated/{simulation}/spots.ome.tif",
        points="<resources>/simulated/{simulation}/spots.csv",
    log:
        "<logs>/simulated/{simulation}/simulate_spots.log",
    benchmark:
        "<benchmarks>/simulated/{simulation}/simulate_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("simulate_spots"),
        runtime=minutes("simulate_spots"),
    params:
        options=by_wildcards(measurements.simulated_spots),
        source=source_hash("simulate_spots"),
    script:
        "../scripts/simulate_spots.py"


rule fetch_cells3d:
    """Download the stack of the scikit-image tutorial."""
    output:
        image="<resources>/cells3d.ome.tif",
    log:
        "<logs>/fetch_cells3d.log",
    benchmark:
        "<benchmarks>/fetch_cells3d.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("fetch_cells3d"),
        runtime=minutes("fetch_cells3d"),
    params:
        source=source_hash("fetch_cells3d"),
    script:
        "../scripts/fetch_cells3d.py"


rule import_stack:
    """Read one channel of an image file and its voxel size."""
    input:
        image=by_wildcards(inputs.made_files, column="image"),
    output:
        raw="<results>/{stack}/channels/{channel}/raw.tif",
        record="<results>/{stack}/channels/{channel}/import.json",
    log:
        "<logs>/{stack}/channels/{channel}/import_stack.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/import_stack.tsv"
    wildcard_constraints:
        stack=OF_STACKS,
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("import_stack"),
        runtime=minutes("import_stack"),
    params:
        **params_of("import_stack"),
        channel="{channel}",
        channel_index=by_wildcards(study.cell, column="channel_index"),
        scene=by_wildcards(study.cell, column="scene"),
        time=by_wildcards(study.cell, column="time"),
        axes=by_wildcards(study.cell, column="axes"),
        z_um=by_wildcards(study.cell, column="z_um"),
        y_um=by_wildcards(study.cell, column="y_um"),
        x_um=by_wildcards(study.cell, column="x_um"),
        image=by_wildcards(inputs.external_files, column="image"),
        url=by_wildcards(inputs.remote_image),
        stamp=by_wildcards(inputs.stamp, column="image"),
    script:
        "../scripts/import_stack.py"


rule estimate_diameter:
    """Estimate the diameter of the nuclei of a stack, or check the diameter that is given."""
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/nuclei/raw.tif", "nuclei"),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
    output:
        record="<results>/{stack}/nuclei/diameter.json",
    log:
        "<logs>/{stack}/nuclei/estimate_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/estimate_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("estimate_diameter"),
        runtime=minutes("estimate_diameter"),
    params:
        **params_of("estimate_diameter"),
        given_um=by_wildcards(study.fixed_diameter),
        defaults=study.default_options(),
    script:
        "../scripts/estimate_diameter.py"


rule derive_diameter:
    """Derive the diameter of cells from the estimated diameter of their nuclei."""
    input:
        nuclei=made_by("estimate_diameter", "<results>/{stack}/nuclei/diameter.json", "nuclei"),
    output:
        record="<results>/{stack}/cells/diameter.json",
    log:
        "<logs>/{stack}/cells/derive_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/cells/derive_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("derive_diameter"),
        runtime=minutes("derive_diameter"),
    params:
        factor=CELLS_TO_NUCLEI,
        source=source_hash("derive_diameter"),
    script:
        "../scripts/derive_diameter.py"


rule import_labels:
    """Read external labels of the objects of a stack."""
    input:
        image=by_wildcards(inputs.made_files, column="labels"),
        raw=by_wildcards(inputs.raw_of_object),
    output:
        labels="<results>/{stack}/{object}/segmentation.tif",
    log:
        "<logs>/{stack}/{object}/import_labels.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_labels.tsv"
    wildcard_constraints:
        stack=pattern_of(study.stacks_with("labels", "nuclei")),
        object="nuclei",
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("import_labels"),
        runtime=minutes("import_labels"),
    params:
        downsample=by_wildcards(study.argument, key="downsample", stage="import_stack"),
        image=by_wildcards(inputs.external_files, column="labels"),
        stamp=by_wildcards(inputs.stamp, column="labels"),
        source=source_hash("import_labels"),
    script:
        "../scripts/import_labels.py"


use rule import_labels as import_cells with:
    wildcard_constraints:
        stack=pattern_of(study.stacks_with("labels", "cells")),
        object="cells",


use rule import_labels as import_uncorrected with:
    output:
        labels="<results>/{stack}/{object}/uncorrected.tif",
    log:
        "<logs>/{stack}/{object}/import_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_uncorrected.tsv"


use rule import_cells as import_uncorrected_cells with:
    output:
        labels="<results>/{stack}/{object}/uncorrected.tif",
    log:
        "<logs>/{stack}/{object}/import_uncorrected_cells.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_uncorrected_cells.tsv"


use rule import_labels as import_ground_truth with:
    input:
        image=by_wildcards(inputs.made_files, column="ground_truth"),
        raw=by_wildcards(inputs.raw_of_object),
    output:
        labels="<results>/{stack}/{object}/ground_truth.tif",
    log:
        "<logs>/{stack}/{object}/import_ground_truth.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_ground_truth.tsv"
    wildcard_constraints:
        stack=pattern_of(study.stacks_with("ground_truth")),
        object="nuclei|cells",
    params:
        downsample=by_wildcards(study.argument, key="downsample", stage="import_stack"),
        image=by_wildcards(inputs.external_files, column="ground_truth"),
        stamp=by_wildcards(inputs.stamp, column="ground_truth"),
        source=source_hash("import_labels"),


rule write_config:
    """Write the configuration with all defaults, and with sizes in um."""
    input:
        diameters=by_wildcards(targets.estimated_diameters),
    output:
        resolved="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    benchmark:
        "<benchmarks>/write_config.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_config"),
        runtime=minutes("write_config"),
    params:
        config=study.config,
        stages=used_settings.resolved_stages(study),
        source=source_hash("write_config"),
    script:
        "../scripts/write_config.py"


rule write_provenance:
    """Record the versions of cellstack and its libraries, and hashes of all images."""
    input:
        raw=by_wildcards(targets.all_channels, name="raw.tif"),
        records=by_wildcards(targets.all_channels, name="import.json"),
    output:
        provenance="<results>/provenance.json",
    log:
        "<logs>/write_provenance.log",
    benchmark:
        "<benchmarks>/write_provenance.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_provenance"),
        runtime=minutes("write_provenance"),
    params:
        images=inputs.all_images(),
        software=provenance.versions_of(workflow),
        study=study.config["study"],
        source=source_hash("write_provenance"),
    script:
        "../scripts/write_provenance.py"
