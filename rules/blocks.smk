rule measure_intensities:
    """Measure the intensities and the noise of a stack that is cut into blocks."""
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/{channel}/raw.tif"),
        no_data=by_wildcards(inputs.no_data),
        diameter=by_wildcards(inputs.diameter_file),
    output:
        intensities="<results>/{stack}/channels/{channel}/intensities.json",
    log:
        "<logs>/{stack}/channels/{channel}/measure_intensities.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/measure_intensities.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_intensities"),
        runtime=minutes("measure_intensities"),
    params:
        steps=by_wildcards(study.argument, key="steps", stage="adjust_contrast"),
        corrections=by_wildcards(study.argument, key="steps", stage="correct_background"),
        source=source_hash("measure_intensities"),
    script:
        "../scripts/measure_intensities.py"


use rule measure_intensities as measure_tiles with:
    output:
        intensities="<results>/{stack}/channels/{channel}/intensities.json",
        tiles=intermediate("<results>/{stack}/channels/{channel}/tiles.tif"),
    log:
        "<logs>/{stack}/channels/{channel}/measure_tiles.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/measure_tiles.tsv"
    wildcard_constraints:
        stack=pattern_of_units(block_plan.units_with_tiles()),
    resources:
        mem_mb=memory("measure_tiles"),
        runtime=minutes("measure_tiles"),


rule cut_block:
    """Cut a block with its overlap out of a stack."""
    input:
        cut=by_wildcards(block_inputs.cut_channel),
    output:
        raw=intermediate("<results>/{stack}/channels/{channel}/raw.tif"),
        record="<results>/{stack}/channels/{channel}/import.json",
    log:
        "<logs>/{stack}/channels/{channel}/cut_block.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/cut_block.tsv"
    wildcard_constraints:
        stack=OF_BLOCKS,
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("cut_block"),
        runtime=minutes("cut_block"),
    params:
        block=by_wildcards(block_plan.geometry_of),
        source=source_hash("cut_block"),
    script:
        "../scripts/cut_block.py"


rule find_blobs:
    """Find and describe the bright blobs in the core of a block."""
    input:
        denoised=made_by("denoise", "<results>/{stack}/channels/nuclei/denoised.tif"),
        intensities=by_wildcards(block_inputs.measured_intensities, channel="nuclei"),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        diameter=diameter_for("binarize"),
    output:
        blobs="<results>/{stack}/nuclei/blobs.json",
    log:
        "<logs>/{stack}/nuclei/find_blobs.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/find_blobs.tsv"
    wildcard_constraints:
        stack=OF_BLOCKS,
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("find_blobs"),
        runtime=minutes("find_blobs"),
    params:
        options=by_wildcards(study.argument, key="options", stage="binarize", channel="nuclei"),
        block=by_wildcards(block_plan.geometry_of),
        source=source_hash("find_blobs"),
    script:
        "../scripts/find_blobs.py"


rule choose_blobs:
    """Choose the blobs that are objects, among those of all blocks of a stack."""
    input:
        blobs=by_wildcards(block_inputs.of_blocks, stage="binarize", name="blobs.json"),
        diameter=diameter_for("binarize"),
    output:
        chosen="<results>/{stack}/nuclei/chosen.json",
    log:
        "<logs>/{stack}/nuclei/choose_blobs.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/choose_blobs.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("choose_blobs"),
        runtime=minutes("choose_blobs"),
    params:
        options=by_wildcards(study.argument, key="options", stage="binarize", channel="nuclei"),
        source=source_hash("choose_blobs"),
    script:
        "../scripts/choose_blobs.py"


rule measure_threshold:
    """Find the threshold of a stack that is cut into blocks."""
    input:
        denoised=by_wildcards(block_inputs.denoised_of_blocks),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        diameter=diameter_for("binarize"),
    output:
        threshold="<results>/{stack}/nuclei/measured_threshold.json",
    log:
        "<logs>/{stack}/nuclei/measure_threshold.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/measure_threshold.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_threshold"),
        runtime=minutes("measure_threshold"),
    params:
        method=by_wildcards(study.argument, key="method", stage="binarize", channel="nuclei"),
        options=by_wildcards(study.argument, key="options", stage="binarize", channel="nuclei"),
        factor=by_wildcards(study.argument, key="factor", stage="binarize", channel="nuclei"),
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("measure_threshold"),
    script:
        "../scripts/measure_threshold.py"


rule connect_mask:
    """Apply hysteresis thresholding to a stack that is cut into blocks."""
    input:
        denoised=by_wildcards(block_inputs.denoised_of_blocks),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        diameter=diameter_for("binarize"),
    output:
        connected=intermediate("<results>/{stack}/nuclei/connected.tif"),
    log:
        "<logs>/{stack}/nuclei/connect_mask.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/connect_mask.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("connect_mask"),
        runtime=minutes("connect_mask"),
    params:
        options=by_wildcards(study.argument, key="options", stage="binarize", channel="nuclei"),
        factor=by_wildcards(study.argument, key="factor", stage="binarize", channel="nuclei"),
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("connect_mask"),
    script:
        "../scripts/connect_mask.py"


rule choose_planes:
    """Choose the planes in which seeds are allowed, in a stack that is cut into blocks."""
    input:
        mask_clean=by_wildcards(block_inputs.of_blocks, stage="clean_mask", name="mask_clean.tif"),
        diameter=diameter_for("find_seeds"),
    output:
        allowed="<results>/{stack}/nuclei/allowed_planes.json",
    log:
        "<logs>/{stack}/nuclei/choose_planes.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/choose_planes.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("choose_planes"),
        runtime=minutes("choose_planes"),
    params:
        planes=by_wildcards(study.argument, key="planes", stage="find_seeds", channel="nuclei"),
        plane_range_um=by_wildcards(
            study.argument, key="plane_range_um", stage="find_seeds", channel="nuclei"
        ),
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("choose_planes"),
    script:
        "../scripts/choose_planes.py"


rule measure_watershed:
    """Measure the volumes of objects before merging, and the background, in the core of a block."""
    input:
        seeds=made_by("find_seeds", "<results>/{stack}/nuclei/seeds.tif"),
        watershed=made_by("split_objects", "<results>/{stack}/nuclei/watershed.tif"),
        denoised=made_by("denoise", "<results>/{stack}/channels/nuclei/denoised.tif"),
    output:
        regions="<results>/{stack}/nuclei/watershed.json",
    log:
        "<logs>/{stack}/nuclei/measure_watershed.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/measure_watershed.tsv"
    wildcard_constraints:
        stack=OF_BLOCKS,
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_watershed"),
        runtime=minutes("measure_watershed"),
    params:
        block=by_wildcards(block_plan.geometry_of),
        source=source_hash("measure_watershed"),
    script:
        "../scripts/measure_watershed.py"


rule describe_watershed:
    """Find the volume of a large object, and the background, from all blocks of a stack."""
    input:
        regions=by_wildcards(block_inputs.of_blocks, stage="split_objects", name="watershed.json"),
    output:
        typical="<results>/{stack}/nuclei/typical.json",
    log:
        "<logs>/{stack}/nuclei/describe_watershed.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/describe_watershed.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("describe_watershed"),
        runtime=minutes("describe_watershed"),
    params:
        source=source_hash("describe_watershed"),
    script:
        "../scripts/describe_watershed.py"


rule join_blocks:
    """Join the objects of all blocks of a stack."""
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/nuclei/raw.tif", "nuclei"),
        seeds=by_wildcards(block_inputs.of_blocks, stage="find_seeds", name="seeds.tif"),
        merged=by_wildcards(block_inputs.of_blocks, stage="merge_objects", name="merged.tif"),
        outlines=by_wildcards(
            block_inputs.of_blocks, stage="smooth_outlines", name="segmentation.tif"
        ),
        thresholds=by_wildcards(block_inputs.of_blocks, stage="binarize", name="threshold.json"),
        cleaned=by_wildcards(block_inputs.of_blocks, stage="clean_mask", name="mask_clean.json"),
        chosen=by_wildcards(block_inputs.chosen_of_stack),
    output:
        segmentation="<results>/{stack}/nuclei/segmentation.tif",
        joined_seeds=intermediate("<results>/{stack}/nuclei/seeds.tif"),
        threshold="<results>/{stack}/nuclei/threshold.json",
        clean_record="<results>/{stack}/nuclei/mask_clean.json",
        record="<results>/{stack}/nuclei/joined.json",
    log:
        "<logs>/{stack}/nuclei/join_blocks.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/join_blocks.tsv"
    wildcard_constraints:
        stack=pattern_of_units(block_plan.units_in_blocks("nuclei")),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("join_blocks"),
        runtime=minutes("join_blocks"),
    params:
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("join_blocks"),
    script:
        "../scripts/join_blocks.py"


use rule join_blocks as join_uncorrected with:
    output:
        segmentation="<results>/{stack}/nuclei/uncorrected.tif",
        joined_seeds=intermediate("<results>/{stack}/nuclei/seeds.tif"),
        threshold="<results>/{stack}/nuclei/threshold.json",
        clean_record="<results>/{stack}/nuclei/mask_clean.json",
        record="<results>/{stack}/nuclei/joined.json",
    log:
        "<logs>/{stack}/nuclei/join_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/join_uncorrected.tsv"
    wildcard_constraints:
        stack=pattern_of_units(block_plan.units_in_blocks("nuclei", corrected=True)),


rule join_cell_seeds:
    """Join the seeds of the cells, and the background, of all blocks of a stack."""
    input:
        membrane_smooth=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_smooth.tif", "membrane"
        ),
        membrane_record=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_ridges.json", "membrane"
        ),
        block_seeds=by_wildcards(
            block_inputs.of_blocks, stage="find_cell_seeds", name="seeds.tif", object="cells"
        ),
        block_backgrounds=by_wildcards(
            block_inputs.of_blocks, stage="find_cell_seeds", name="background.tif", object="cells"
        ),
        nuclei=by_wildcards(inputs.segmented_nuclei),
    output:
        seeds=intermediate("<results>/{stack}/cells/seeds.tif"),
        background=intermediate("<results>/{stack}/cells/background.tif"),
        record="<results>/{stack}/cells/seeds.json",
    log:
        "<logs>/{stack}/cells/join_cell_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/cells/join_cell_seeds.tsv"
    wildcard_constraints:
        stack=pattern_of_units(block_plan.units_in_blocks("cells")),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("join_cell_seeds"),
        runtime=minutes("join_cell_seeds"),
    params:
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("join_cell_seeds"),
    script:
        "../scripts/join_cell_seeds.py"


rule measure_membrane:
    """Measure the standard deviations of the images that the watershed of cells combines."""
    input:
        membrane_smooth=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_smooth.tif", "membrane"
        ),
        membrane_ridges=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_ridges.tif", "membrane"
        ),
        nuclei=by_wildcards(inputs.segmented_nuclei),
    output:
        scales="<results>/{stack}/cells/scales.json",
    log:
        "<logs>/{stack}/cells/measure_membrane.log",
    benchmark:
        "<benchmarks>/{stack}/cells/measure_membrane.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_membrane"),
        runtime=minutes("measure_membrane"),
    params:
        source=source_hash("measure_membrane"),
    script:
        "../scripts/measure_membrane.py"


rule join_regions:
    """Join the regions of the cells of all blocks of a stack."""
    input:
        seeds=made_by("find_cell_seeds", "<results>/{stack}/cells/seeds.tif", "membrane"),
        seeds_record=by_wildcards(
            block_inputs.cells_of_complete, stage="find_cell_seeds", name="seeds.json"
        ),
        block_regions=by_wildcards(
            block_inputs.of_blocks, stage="segment_cells", name="regions.tif", object="cells"
        ),
    output:
        regions=intermediate("<results>/{stack}/cells/regions.tif"),
        record="<results>/{stack}/cells/joined.json",
    log:
        "<logs>/{stack}/cells/join_regions.log",
    benchmark:
        "<benchmarks>/{stack}/cells/join_regions.tsv"
    wildcard_constraints:
        stack=pattern_of_units(block_plan.units_in_blocks("cells")),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("join_regions"),
        runtime=minutes("join_regions"),
    params:
        blocks=by_wildcards(block_plan.geometries),
        source=source_hash("join_regions"),
    script:
        "../scripts/join_regions.py"
