rule choose_view:
    """Choose what the gallery of a stack shows."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
        diameter=estimated_diameter,
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
        **stage("choose_view"),
        diameter_um=object_diameter,
    script:
        "../scripts/choose_view.py"


rule show_stages:
    """Draw what each stage made of a stack, as it is configured."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
        corrected=branch(
            stage("correct_background")["steps"],
            then="<results>/{stack}/nuclei/corrected.tif",
            otherwise=[],
        ),
        contrast="<results>/{stack}/nuclei/contrast.tif",
        denoised="<results>/{stack}/nuclei/denoised.tif",
        mask="<results>/{stack}/nuclei/mask.tif",
        clean="<results>/{stack}/nuclei/clean.tif",
        distance="<results>/{stack}/nuclei/distance.tif",
        seeds="<results>/{stack}/nuclei/seeds.tif",
        parts="<results>/{stack}/nuclei/parts.tif",
        merged="<results>/{stack}/nuclei/merged.tif",
        split="<results>/{stack}/nuclei/split.tif",
        labels="<results>/{stack}/nuclei/labels.ome.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=configured(
            {
                "import_stack": "raw",
                "correct_background": "corrected",
                "adjust_contrast": "contrast",
                "denoise": "denoised",
                "binarize": "mask",
                "clean_mask": "clean",
                "find_seeds": "distance",
                "split_objects": "parts",
                "merge_objects": "merged",
                "outline_objects": "split",
                "select_objects": "labels",
            }
        ),
        diameter_um=object_diameter,
        source=source_hash("show_stages"),
    script:
        "../scripts/show_stages.py"


rule compare_background:
    """Draw the methods of correct_background side by side."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("background", "correct_background"),
        source=source_hash("compare_background"),
    script:
        "../scripts/compare_background.py"


rule compare_contrast:
    """Draw the methods of adjust_contrast side by side."""
    input:
        image=branch(
            stage("correct_background")["steps"],
            then="<results>/{stack}/nuclei/corrected.tif",
            otherwise="<results>/{stack}/nuclei/raw.tif",
        ),
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("contrast", "adjust_contrast", beside="grey_morphology"),
        source=source_hash("compare_contrast"),
    script:
        "../scripts/compare_contrast.py"


rule compare_denoising:
    """Draw the methods of denoise side by side, whole and zoomed in on two objects."""
    input:
        contrast="<results>/{stack}/nuclei/contrast.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("denoising", "denoise"),
        diameter_um=object_diameter,
        source=source_hash("compare_denoising"),
    script:
        "../scripts/compare_denoising.py"


rule compare_edges:
    """Draw the methods of detect_edges side by side, in three views, and their difference."""
    input:
        denoised="<results>/{stack}/nuclei/denoised.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("edges", "detect_edges"),
        source=source_hash("compare_edges"),
    script:
        "../scripts/compare_edges.py"


rule compare_thresholds:
    """Draw the thresholds of binarize in the histogram of the stack, and their masks."""
    input:
        contrast="<results>/{stack}/nuclei/contrast.tif",
        denoised="<results>/{stack}/nuclei/denoised.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("thresholds", "binarize"),
        source=source_hash("compare_thresholds"),
    script:
        "../scripts/compare_thresholds.py"


rule compare_morphology:
    """Draw the morphology of grey values and of the mask side by side."""
    input:
        image=branch(
            stage("correct_background")["steps"],
            then="<results>/{stack}/nuclei/corrected.tif",
            otherwise="<results>/{stack}/nuclei/raw.tif",
        ),
        mask="<results>/{stack}/nuclei/mask.tif",
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("morphology", "clean_mask"),
        grey_panels=compared("grey_morphology", "adjust_contrast", beside="contrast", presets={}),
        source=source_hash("compare_morphology"),
    script:
        "../scripts/compare_morphology.py"


rule compare_seeds:
    """Draw the methods of find_seeds side by side, with the labels that grow from the seeds."""
    input:
        clean="<results>/{stack}/nuclei/clean.tif",
        components="<results>/{stack}/nuclei/components.tif",
        denoised="<results>/{stack}/nuclei/denoised.tif",
        stack=branch(
            stage("split_objects")["method"],
            cases={"contrast": "<results>/{stack}/nuclei/contrast.tif"},
            otherwise="<results>/{stack}/nuclei/denoised.tif",
        ),
        edges=branch(
            stage("split_objects")["method"],
            cases={method: "<results>/{stack}/nuclei/edges.tif" for method in ("edges", "blend")},
            otherwise=[],
        ),
        points=seed_points,
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        panels=compared("seeds", "find_seeds"),
        split=split_settings,
        diameter_um=object_diameter,
        source=source_hash("compare_seeds"),
    script:
        "../scripts/compare_seeds.py"


rule compare_surface_area:
    """Draw the surface area of objects with true and with unit spacing."""
    input:
        labels="<results>/{stack}/nuclei/labels.ome.tif",
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
        source=source_hash("compare_surface_area"),
    script:
        "../scripts/compare_surface_area.py"


rule plot_shapes:
    """Draw volume against solidity of all measured objects, coloured by mean intensity."""
    input:
        objects="<results>/{stack}/nuclei/objects.csv",
    output:
        shapes="<results>/{stack}/gallery/shapes.json",
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
    """Draw the intensities of all channels along one row."""
    input:
        raw=raw_stacks,
        view="<results>/{stack}/gallery/view.json",
    output:
        profile="<results>/{stack}/gallery/profile.json",
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
        channels=channel_names,
        source=source_hash("plot_profile"),
    script:
        "../scripts/plot_profile.py"


rule write_gallery:
    """Write the page that shows all comparisons of a stack."""
    input:
        sections=collect(
            "<results>/{{stack}}/gallery/{section}.json",
            section=(
                "stages",
                "background",
                "contrast",
                "denoising",
                "edges",
                "thresholds",
                "morphology",
                "seeds",
                "surface_area",
                "shapes",
                "profile",
            ),
        ),
        view="<results>/{stack}/gallery/view.json",
        diameter=estimated_diameter,
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
        note=note,
        diameter_um=object_diameter,
        preset=nuclei_preset,
        source=source_hash("write_gallery"),
    script:
        "../scripts/write_gallery.py"
