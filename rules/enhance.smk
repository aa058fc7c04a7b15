rule correct_background:
    """Take background and dimming out of a channel, where the configuration says how."""
    input:
        raw="<results>/{stack}/{channel}/raw.tif",
        diameter=diameter_for("correct_background"),
    output:
        corrected=intermediate("<results>/{stack}/{channel}/corrected.tif"),
    log:
        "<logs>/{stack}/{channel}/correct_background.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/correct_background.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("correct_background"),
        runtime=minutes("correct_background"),
    params:
        **stage("correct_background"),
    script:
        "../scripts/correct_background.py"


rule adjust_contrast:
    """Bring a channel to intensities in [0, 1]."""
    input:
        image=branch(
            stage("correct_background")["steps"],
            then="<results>/{stack}/{channel}/corrected.tif",
            otherwise="<results>/{stack}/{channel}/raw.tif",
        ),
        diameter=diameter_for("adjust_contrast"),
    output:
        contrast=intermediate("<results>/{stack}/{channel}/contrast.tif"),
    log:
        "<logs>/{stack}/{channel}/adjust_contrast.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/adjust_contrast.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("adjust_contrast"),
        runtime=minutes("adjust_contrast"),
    params:
        **stage("adjust_contrast"),
    script:
        "../scripts/adjust_contrast.py"


rule denoise:
    """Remove noise from a channel."""
    input:
        contrast="<results>/{stack}/{channel}/contrast.tif",
        diameter=diameter_for("denoise"),
    output:
        denoised=intermediate("<results>/{stack}/{channel}/denoised.tif"),
    log:
        "<logs>/{stack}/{channel}/denoise.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/denoise.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("denoise"),
        runtime=minutes("denoise"),
    params:
        **stage("denoise"),
    script:
        "../scripts/denoise.py"


rule detect_edges:
    """Find edges, where the landscape that splits objects needs them."""
    input:
        denoised="<results>/{stack}/{channel}/denoised.tif",
    output:
        edges=intermediate("<results>/{stack}/{channel}/edges.tif"),
    log:
        "<logs>/{stack}/{channel}/detect_edges.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/detect_edges.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("detect_edges"),
        runtime=minutes("detect_edges"),
    params:
        **stage("detect_edges"),
    script:
        "../scripts/detect_edges.py"
