rule binarize:
    """Separate foreground from background by a threshold."""
    input:
        denoised=made_by("denoise", "<results>/{stack}/channels/nuclei/denoised.tif"),
        contrast=by_wildcards(inputs.binarize_contrast),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        chosen=by_wildcards(block_inputs.chosen_blobs),
        measured=by_wildcards(block_inputs.measured_threshold),
        connected=by_wildcards(block_inputs.connected_mask),
        diameter=diameter_for("binarize"),
    output:
        mask=intermediate("<results>/{stack}/nuclei/mask.tif"),
        threshold="<results>/{stack}/nuclei/threshold.json",
    log:
        "<logs>/{stack}/nuclei/binarize.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/binarize.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("binarize"),
        runtime=minutes("binarize"),
    params:
        **params_of("binarize"),
        block=by_wildcards(block_plan.geometry_of_unit),
        diameter_um=by_wildcards(study.fixed_diameter),
    script:
        "../scripts/binarize.py"


rule clean_mask:
    """Clean the mask: remove sheets, smooth it, fill holes, remove small objects."""
    input:
        mask=made_by("binarize", "<results>/{stack}/nuclei/mask.tif"),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        diameter=diameter_for("clean_mask"),
    output:
        mask_clean=intermediate("<results>/{stack}/nuclei/mask_clean.tif"),
        record="<results>/{stack}/nuclei/mask_clean.json",
    log:
        "<logs>/{stack}/nuclei/clean_mask.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/clean_mask.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("clean_mask"),
        runtime=minutes("clean_mask"),
    params:
        **params_of("clean_mask"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/clean_mask.py"


rule label_components:
    """Label the connected components of the mask."""
    input:
        mask_clean=made_by("clean_mask", "<results>/{stack}/nuclei/mask_clean.tif"),
    output:
        components=intermediate("<results>/{stack}/nuclei/components.tif"),
    log:
        "<logs>/{stack}/nuclei/label_components.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/label_components.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("label_components"),
        runtime=minutes("label_components"),
    params:
        **params_of("label_components"),
    script:
        "../scripts/label_components.py"


rule find_seeds:
    """Find one seed per object, or read seeds set by hand."""
    input:
        mask_clean=made_by("clean_mask", "<results>/{stack}/nuclei/mask_clean.tif"),
        components=made_by("label_components", "<results>/{stack}/nuclei/components.tif"),
        denoised=made_by("denoise", "<results>/{stack}/channels/nuclei/denoised.tif"),
        allowed=by_wildcards(block_inputs.allowed_planes),
        diameter=diameter_for("find_seeds"),
    output:
        distance=intermediate("<results>/{stack}/nuclei/distance.tif"),
        seeds=intermediate("<results>/{stack}/nuclei/seeds.tif"),
    log:
        "<logs>/{stack}/nuclei/find_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/find_seeds.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("find_seeds"),
        runtime=minutes("find_seeds"),
    params:
        **params_of("find_seeds"),
        block=by_wildcards(block_plan.geometry_of_unit),
        points=by_wildcards(inputs.seed_points),
        stamp=by_wildcards(inputs.seed_points_stamp),
    script:
        "../scripts/find_seeds.py"


rule split_objects:
    """Split touching objects by a watershed from the seeds."""
    input:
        seeds=made_by("find_seeds", "<results>/{stack}/nuclei/seeds.tif"),
        mask_clean=made_by("clean_mask", "<results>/{stack}/nuclei/mask_clean.tif"),
        intensity=by_wildcards(inputs.split_image),
        distance=made_by("find_seeds", "<results>/{stack}/nuclei/distance.tif"),
        edges=by_wildcards(inputs.split_edges),
    output:
        watershed=intermediate("<results>/{stack}/nuclei/watershed.tif"),
    log:
        "<logs>/{stack}/nuclei/split_objects.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/split_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("split_objects"),
        runtime=minutes("split_objects"),
    params:
        **params_of("split_objects"),
    script:
        "../scripts/split_objects.py"


rule merge_objects:
    """Merge over-segmented neighbours, and remove objects of low contrast."""
    input:
        watershed=made_by("split_objects", "<results>/{stack}/nuclei/watershed.tif"),
        denoised=made_by("denoise", "<results>/{stack}/channels/nuclei/denoised.tif"),
        distance=made_by("find_seeds", "<results>/{stack}/nuclei/distance.tif"),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        typical=by_wildcards(block_inputs.typical_objects),
        diameter=diameter_for("merge_objects"),
    output:
        merged=intermediate("<results>/{stack}/nuclei/merged.tif"),
    log:
        "<logs>/{stack}/nuclei/merge_objects.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/merge_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("merge_objects"),
        runtime=minutes("merge_objects"),
    params:
        **params_of("merge_objects"),
    script:
        "../scripts/merge_objects.py"


rule smooth_outlines:
    """Smooth the outline of each object."""
    input:
        merged=made_by("merge_objects", "<results>/{stack}/nuclei/merged.tif"),
        no_data=by_wildcards(inputs.no_data, channel="nuclei"),
        diameter=diameter_for("smooth_outlines"),
    output:
        segmentation="<results>/{stack}/nuclei/segmentation.tif",
    log:
        "<logs>/{stack}/nuclei/smooth_outlines.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/smooth_outlines.tsv"
    wildcard_constraints:
        stack=pattern_of(study.stacks_without("labels", "nuclei"), with_blocks=True),
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("smooth_outlines"),
        runtime=minutes("smooth_outlines"),
    params:
        **params_of("smooth_outlines"),
    script:
        "../scripts/smooth_outlines.py"


use rule smooth_outlines as smooth_uncorrected with:
    output:
        segmentation="<results>/{stack}/nuclei/uncorrected.tif",
    log:
        "<logs>/{stack}/nuclei/smooth_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/smooth_uncorrected.tsv"


rule run_segmenter:
    """Segment the objects of a stack by another program."""
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/nuclei/raw.tif", "nuclei"),
        diameter=by_wildcards(inputs.diameter_file),
    output:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
    log:
        "<logs>/{stack}/{object}/run_segmenter.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/run_segmenter.tsv"
    wildcard_constraints:
        stack=pattern_of_units(study.units_with_segmenter("nuclei")),
        object="nuclei",
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("run_segmenter"),
        runtime=by_wildcards(study.segmenter_minutes),
    params:
        **params_of("run_segmenter"),
        object="{object}",
        diameter_um=by_wildcards(study.object_diameter),
        stamp=by_wildcards(inputs.segmenter_stamp),
    script:
        "../scripts/run_segmenter.py"


use rule run_segmenter as run_cell_segmenter with:
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/membrane/raw.tif", "membrane"),
        diameter=by_wildcards(inputs.diameter_file),
    wildcard_constraints:
        stack=pattern_of_units(study.units_with_segmenter("cells")),
        object="cells",


use rule run_segmenter as run_segmenter_uncorrected with:
    output:
        segmentation="<results>/{stack}/{object}/uncorrected.tif",
    log:
        "<logs>/{stack}/{object}/run_segmenter_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/run_segmenter_uncorrected.tsv"


use rule run_cell_segmenter as run_cell_segmenter_uncorrected with:
    output:
        segmentation="<results>/{stack}/{object}/uncorrected.tif",
    log:
        "<logs>/{stack}/{object}/run_cell_segmenter_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/run_cell_segmenter_uncorrected.tsv"


rule correct_objects:
    """Apply the corrections of a stack to its objects."""
    input:
        uncorrected="<results>/{stack}/{object}/uncorrected.tif",
        intensities=by_wildcards(inputs.growth_image),
        no_data=by_wildcards(inputs.no_data),
        diameter=by_wildcards(inputs.growth_diameter),
    output:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        record="<results>/{stack}/{object}/corrections.csv",
    log:
        "<logs>/{stack}/{object}/correct_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/correct_objects.tsv"
    wildcard_constraints:
        stack=pattern_of(study.corrected_stacks("nuclei"), with_runs=False),
        object="nuclei",
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("correct_objects"),
        runtime=minutes("correct_objects"),
    params:
        stack="{stack}",
        object="{object}",
        corrections=by_wildcards(study.corrections_of),
        options=by_wildcards(study.growth_options),
        stamp=by_wildcards(inputs.correction_stamp),
        source=source_hash("correct_objects"),
    script:
        "../scripts/correct_objects.py"


use rule correct_objects as correct_cells with:
    wildcard_constraints:
        stack=pattern_of(study.corrected_stacks("cells"), with_runs=False),
        object="cells",


rule select_objects:
    """Select the objects to be measured, and list why others are excluded."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        corrections=by_wildcards(inputs.correction_record),
        no_data=by_wildcards(inputs.no_data),
        diameter=diameter_for("select_objects"),
    output:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        selection="<results>/{stack}/{object}/selection.csv",
    log:
        "<logs>/{stack}/{object}/select_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/select_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("select_objects"),
        runtime=minutes("select_objects"),
    params:
        **params_of("select_objects"),
    script:
        "../scripts/select_objects.py"
