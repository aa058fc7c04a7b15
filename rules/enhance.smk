rule adjust_contrast:
    """Bring a channel to intensities in [0, 1]."""
    input:
        raw="<results>/{stack}/{channel}/raw.tif",
    output:
        contrast="<results>/{stack}/{channel}/contrast.tif",
    log:
        "<logs>/{stack}/{channel}/adjust_contrast.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/adjust_contrast.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(7),
        runtime=minutes(5),
    params:
        **stage("adjust_contrast"),
    script:
        "../scripts/adjust_contrast.py"


rule denoise:
    """Remove noise from a channel."""
    input:
        contrast="<results>/{stack}/{channel}/contrast.tif",
    output:
        denoised="<results>/{stack}/{channel}/denoised.tif",
    log:
        "<logs>/{stack}/{channel}/denoise.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/denoise.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(4),
        runtime=minutes(10),
    params:
        **stage("denoise"),
    script:
        "../scripts/denoise.py"


rule detect_edges:
    """Find edges, where the landscape that splits objects needs them."""
    input:
        denoised="<results>/{stack}/{channel}/denoised.tif",
    output:
        edges="<results>/{stack}/{channel}/edges.tif",
    log:
        "<logs>/{stack}/{channel}/detect_edges.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/detect_edges.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory(7),
        runtime=minutes(10),
    params:
        **stage("detect_edges"),
    script:
        "../scripts/detect_edges.py"
