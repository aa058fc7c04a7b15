rule choose_view:
    """Choose the region, plane and row that the gallery shows."""
    input:
        raw="<results>/{stack}/channels/nuclei/raw.tif",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        view="<results>/{stack}/gallery/view.json",
    log:
        "<logs>/{stack}/gallery/choose_view.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/choose_view.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("choose_view"),
        runtime=minutes("choose_view"),
    params:
        **params_of("choose_view"),
        diameter_um=by_wildcards(study.object_diameter),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/choose_view.py"


rule show_stages:
    """Show the result of each stage as configured."""
    input:
        raw="<results>/{stack}/channels/nuclei/raw.tif",
        corrected=by_wildcards(inputs.corrected_image),
        contrast="<results>/{stack}/channels/nuclei/contrast.tif",
        denoised="<results>/{stack}/channels/nuclei/denoised.tif",
        mask="<results>/{stack}/nuclei/mask.tif",
        mask_clean="<results>/{stack}/nuclei/mask_clean.tif",
        components="<results>/{stack}/nuclei/components.tif",
        distance="<results>/{stack}/nuclei/distance.tif",
        seeds="<results>/{stack}/nuclei/seeds.tif",
        watershed="<results>/{stack}/nuclei/watershed.tif",
        merged="<results>/{stack}/nuclei/merged.tif",
        segmentation=by_wildcards(panels.file_of_complete, file="nuclei/segmentation.tif"),
        labels=by_wildcards(panels.file_of_complete, file="nuclei/labels.ome.tif"),
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        stages="<results>/{stack}/gallery/stages.json",
    log:
        "<logs>/{stack}/gallery/show_stages.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/show_stages.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("show_stages"),
        runtime=minutes("show_stages"),
    params:
        panels=by_wildcards(panels.stages),
        diameter_um=by_wildcards(study.object_diameter),
        block=by_wildcards(block_plan.geometry_of_unit),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("show_stages"),
    script:
        "../scripts/show_stages.py"


rule compare_background:
    """Compare the methods of correct_background."""
    input:
        raw="<results>/{stack}/channels/nuclei/raw.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        background="<results>/{stack}/gallery/background.json",
    log:
        "<logs>/{stack}/gallery/compare_background.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_background.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_background"),
        runtime=minutes("compare_background"),
    params:
        panels=by_wildcards(panels.comparison, comparison="background", stage="correct_background"),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_background"),
    script:
        "../scripts/compare_background.py"


rule compare_contrast:
    """Compare the methods of adjust_contrast."""
    input:
        image=by_wildcards(inputs.contrast_image),
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        contrast="<results>/{stack}/gallery/contrast.json",
    log:
        "<logs>/{stack}/gallery/compare_contrast.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_contrast.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_contrast"),
        runtime=minutes("compare_contrast"),
    params:
        panels=by_wildcards(
            panels.comparison,
            comparison="contrast",
            stage="adjust_contrast",
            beside="grey_morphology",
        ),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_contrast"),
    script:
        "../scripts/compare_contrast.py"


rule compare_denoising:
    """Compare the methods of denoise, also zoomed in on two objects."""
    input:
        contrast="<results>/{stack}/channels/nuclei/contrast.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        denoising="<results>/{stack}/gallery/denoising.json",
    log:
        "<logs>/{stack}/gallery/compare_denoising.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_denoising.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_denoising"),
        runtime=minutes("compare_denoising"),
    params:
        panels=by_wildcards(panels.comparison, comparison="denoising", stage="denoise"),
        diameter_um=by_wildcards(study.object_diameter),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_denoising"),
    script:
        "../scripts/compare_denoising.py"


rule compare_edges:
    """Compare the methods of detect_edges in three views, and their difference."""
    input:
        denoised="<results>/{stack}/channels/nuclei/denoised.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        edges="<results>/{stack}/gallery/edges.json",
    log:
        "<logs>/{stack}/gallery/compare_edges.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_edges.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_edges"),
        runtime=minutes("compare_edges"),
    params:
        panels=by_wildcards(panels.comparison, comparison="edges", stage="detect_edges"),
        source=source_hash("compare_edges"),
    script:
        "../scripts/compare_edges.py"


rule compare_thresholds:
    """Compare the thresholds of binarize in the histogram, and their masks."""
    input:
        contrast="<results>/{stack}/channels/nuclei/contrast.tif",
        denoised="<results>/{stack}/channels/nuclei/denoised.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        thresholds="<results>/{stack}/gallery/thresholds.json",
    log:
        "<logs>/{stack}/gallery/compare_thresholds.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_thresholds.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_thresholds"),
        runtime=minutes("compare_thresholds"),
    params:
        panels=by_wildcards(panels.comparison, comparison="thresholds", stage="binarize"),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_thresholds"),
    script:
        "../scripts/compare_thresholds.py"


rule compare_morphology:
    """Compare morphological filters of intensities and of the mask."""
    input:
        image=by_wildcards(inputs.contrast_image),
        mask="<results>/{stack}/nuclei/mask.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        morphology="<results>/{stack}/gallery/morphology.json",
    log:
        "<logs>/{stack}/gallery/compare_morphology.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_morphology.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_morphology"),
        runtime=minutes("compare_morphology"),
    params:
        panels=by_wildcards(panels.comparison, comparison="morphology", stage="clean_mask"),
        grey_panels=by_wildcards(
            panels.comparison,
            comparison="grey_morphology",
            stage="adjust_contrast",
            beside="contrast",
            presets=False,
        ),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_morphology"),
    script:
        "../scripts/compare_morphology.py"


rule compare_seeds:
    """Compare the methods of find_seeds, and the labels that result from them."""
    input:
        mask_clean="<results>/{stack}/nuclei/mask_clean.tif",
        components="<results>/{stack}/nuclei/components.tif",
        denoised="<results>/{stack}/channels/nuclei/denoised.tif",
        intensity=by_wildcards(inputs.split_image),
        edges=by_wildcards(inputs.split_edges),
        view="<results>/{stack}/gallery/view.json",
        diameter=by_wildcards(inputs.diameter_file),
    output:
        seeds="<results>/{stack}/gallery/seeds.json",
    log:
        "<logs>/{stack}/gallery/compare_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_seeds.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_seeds"),
        runtime=minutes("compare_seeds"),
    params:
        panels=by_wildcards(panels.comparison, comparison="seeds", stage="find_seeds"),
        split=by_wildcards(study.split_settings),
        diameter_um=by_wildcards(study.object_diameter),
        points=by_wildcards(inputs.seed_points),
        stamp=by_wildcards(inputs.seed_points_stamp),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_seeds"),
    script:
        "../scripts/compare_seeds.py"


rule compare_labels:
    """Compare the nuclei that result from each method of each stage, beside the ground truth."""
    input:
        raw="<results>/{stack}/channels/nuclei/raw.tif",
        segmentations=by_wildcards(inputs.compared_segmentations),
        ground_truth=by_wildcards(inputs.true_nuclei),
        view="<results>/{stack}/gallery/view.json",
    output:
        final_labels="<results>/{stack}/gallery/final_labels.json",
        table="<results>/{stack}/gallery/final_labels.csv",
    log:
        "<logs>/{stack}/gallery/compare_labels.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_labels.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_labels"),
        runtime=minutes("compare_labels"),
    params:
        alternatives=by_wildcards(panels.alternatives),
        stages=study.config["compare_labels"]["stages"],
        by_points=by_wildcards(study.nuclei_scored_by_points),
        block=by_wildcards(block_plan.geometry_of_unit),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("compare_labels"),
    script:
        "../scripts/compare_labels.py"


rule compare_surface_area:
    """Compare surface areas computed with true and with unit spacing."""
    input:
        labels=by_wildcards(panels.file_of_complete, file="nuclei/labels.ome.tif"),
        view="<results>/{stack}/gallery/view.json",
    output:
        surface_area="<results>/{stack}/gallery/surface_area.json",
    log:
        "<logs>/{stack}/gallery/compare_surface_area.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/compare_surface_area.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("compare_surface_area"),
        runtime=minutes("compare_surface_area"),
    params:
        block=by_wildcards(block_plan.geometry_of_unit),
        source=source_hash("compare_surface_area"),
    script:
        "../scripts/compare_surface_area.py"


rule plot_shapes:
    """Plot solidity against volume of all measured objects."""
    input:
        objects=by_wildcards(panels.file_of_complete, file="nuclei/objects.csv"),
    output:
        shapes="<results>/{stack}/gallery/shapes.json",
        vector="<results>/{stack}/gallery/shapes.pdf",
    log:
        "<logs>/{stack}/gallery/plot_shapes.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/plot_shapes.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_shapes"),
        runtime=minutes("plot_shapes"),
    params:
        channel="nuclei",
        source=source_hash("plot_shapes"),
    script:
        "../scripts/plot_shapes.py"


rule plot_profile:
    """Plot the intensities of all channels along one row."""
    input:
        raw=by_wildcards(block_inputs.raw_of_complete),
        view="<results>/{stack}/gallery/view.json",
    output:
        profile="<results>/{stack}/gallery/profile.json",
        vector="<results>/{stack}/gallery/profile.pdf",
        table="<results>/{stack}/gallery/profile.csv",
    log:
        "<logs>/{stack}/gallery/plot_profile.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/plot_profile.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_profile"),
        runtime=minutes("plot_profile"),
    params:
        channels=by_wildcards(study.channels),
        block=by_wildcards(block_plan.geometry_of_unit),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_profile"),
    script:
        "../scripts/plot_profile.py"


rule write_gallery:
    """Write the page with all comparisons of a stack."""
    input:
        sections=by_wildcards(panels.sections),
        view=by_wildcards(panels.view),
        diameter=by_wildcards(inputs.diameter_file),
        raw=by_wildcards(inputs.raw_stacks),
        records=by_wildcards(inputs.import_records),
    output:
        page=report(
            "<results>/{stack}/gallery/index.html",
            category="Gallery",
            caption="../report/gallery.rst",
        ),
    log:
        "<logs>/{stack}/gallery/write_gallery.log",
    benchmark:
        "<benchmarks>/{stack}/gallery/write_gallery.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_gallery"),
        runtime=minutes("write_gallery"),
    params:
        stack="{stack}",
        note=by_wildcards(study.note),
        diameter_um=by_wildcards(study.object_diameter),
        preset=by_wildcards(study.preset_name),
        block=by_wildcards(panels.shown_block),
        images=by_wildcards(inputs.images_of),
        software=provenance.versions_of(workflow),
        source=source_hash("write_gallery"),
    script:
        "../scripts/write_gallery.py"


rule write_explorer:
    """Write the page to explore a stack: planes, contrast, stages and methods side by side."""
    input:
        images=by_wildcards(explorer.images),
        objects=by_wildcards(explorer.objects),
        view=by_wildcards(explorer.view),
        raw=by_wildcards(inputs.raw_stacks),
        records=by_wildcards(inputs.import_records),
        diameter=by_wildcards(explorer.diameter),
    output:
        page=report(
            "<results>/{stack}/explore.html",
            category="Gallery",
            caption="../report/explorer.rst",
        ),
    log:
        "<logs>/{stack}/write_explorer.log",
    benchmark:
        "<benchmarks>/{stack}/write_explorer.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_explorer"),
        runtime=minutes("write_explorer"),
    params:
        stack="{stack}",
        note=by_wildcards(study.note),
        layers=by_wildcards(explorer.layers),
        swept=by_wildcards(explorer.swept),
        variants=by_wildcards(explorer.variants),
        diameter_um=by_wildcards(explorer.diameter_um),
        block=by_wildcards(panels.block),
        sources=by_wildcards(inputs.images_of),
        software=provenance.versions_of(workflow),
        source=source_hash("write_explorer"),
    script:
        "../scripts/write_explorer.py"


# The stages with other methods, for compare_labels. Their files are removed when no job needs them
# any more, except for the labels.
use rule correct_background as try_correct_background with:
    output:
        corrected=temp("<results>/{stack}/channels/{channel}/corrected.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule adjust_contrast as try_adjust_contrast with:
    output:
        contrast=temp("<results>/{stack}/channels/{channel}/contrast.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule denoise as try_denoise with:
    output:
        denoised=temp("<results>/{stack}/channels/{channel}/denoised.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule detect_edges as try_detect_edges with:
    output:
        edges=temp("<results>/{stack}/channels/{channel}/edges.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule binarize as try_binarize with:
    output:
        mask=temp("<results>/{stack}/nuclei/mask.tif"),
        threshold=temp("<results>/{stack}/nuclei/threshold.json"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule clean_mask as try_clean_mask with:
    output:
        mask_clean=temp("<results>/{stack}/nuclei/mask_clean.tif"),
        record=temp("<results>/{stack}/nuclei/mask_clean.json"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule label_components as try_label_components with:
    output:
        components=temp("<results>/{stack}/nuclei/components.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule find_seeds as try_find_seeds with:
    output:
        distance=temp("<results>/{stack}/nuclei/distance.tif"),
        seeds=temp("<results>/{stack}/nuclei/seeds.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule split_objects as try_split_objects with:
    output:
        watershed=temp("<results>/{stack}/nuclei/watershed.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule merge_objects as try_merge_objects with:
    output:
        merged=temp("<results>/{stack}/nuclei/merged.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,


use rule smooth_outlines as try_smooth_outlines with:
    output:
        segmentation=intermediate("<results>/{stack}/nuclei/segmentation.tif"),
    wildcard_constraints:
        stack=OF_ALTERNATIVES,
