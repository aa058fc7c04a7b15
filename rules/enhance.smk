rule correct_background:
    """Correct the background and the attenuation with depth."""
    input:
        raw=made_by("import_stack", "<results>/{stack}/channels/{channel}/raw.tif"),
        no_data=by_wildcards(inputs.no_data),
        intensities=by_wildcards(block_inputs.measured_intensities),
        diameter=diameter_for("correct_background"),
    output:
        corrected=intermediate("<results>/{stack}/channels/{channel}/corrected.tif"),
    log:
        "<logs>/{stack}/channels/{channel}/correct_background.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/correct_background.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("correct_background"),
        runtime=minutes("correct_background"),
    params:
        **params_of("correct_background"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/correct_background.py"


rule adjust_contrast:
    """Rescale intensities to [0, 1]."""
    input:
        image=by_wildcards(inputs.contrast_image),
        no_data=by_wildcards(inputs.no_data),
        intensities=by_wildcards(block_inputs.measured_intensities),
        tiles=by_wildcards(block_inputs.measured_tiles),
        diameter=diameter_for("adjust_contrast"),
    output:
        contrast=intermediate("<results>/{stack}/channels/{channel}/contrast.tif"),
    log:
        "<logs>/{stack}/channels/{channel}/adjust_contrast.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/adjust_contrast.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("adjust_contrast"),
        runtime=minutes("adjust_contrast"),
    params:
        **params_of("adjust_contrast"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/adjust_contrast.py"


rule denoise:
    """Reduce the noise."""
    input:
        contrast=made_by("adjust_contrast", "<results>/{stack}/channels/{channel}/contrast.tif"),
        intensities=by_wildcards(block_inputs.measured_intensities),
        diameter=diameter_for("denoise"),
    output:
        denoised=intermediate("<results>/{stack}/channels/{channel}/denoised.tif"),
    log:
        "<logs>/{stack}/channels/{channel}/denoise.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/denoise.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("denoise"),
        runtime=minutes("denoise"),
    params:
        **params_of("denoise"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/denoise.py"


rule detect_edges:
    """Compute the gradient magnitude, for methods of split_objects that use it."""
    input:
        denoised=made_by("denoise", "<results>/{stack}/channels/{channel}/denoised.tif"),
    output:
        edges=intermediate("<results>/{stack}/channels/{channel}/edges.tif"),
    log:
        "<logs>/{stack}/channels/{channel}/detect_edges.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/detect_edges.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("detect_edges"),
        runtime=minutes("detect_edges"),
    params:
        **params_of("detect_edges"),
    script:
        "../scripts/detect_edges.py"
