rule adjust_contrast:
    """Bring a channel to intensities in [0, 1]."""
    input:
        raw="<results>/{stack}/{channel}/raw.tif",
    output:
        contrast="<results>/{stack}/{channel}/contrast.tif",
    params:
        **stage("adjust_contrast"),
    log:
        "<logs>/{stack}/{channel}/adjust_contrast.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/adjust_contrast.tsv"
    resources:
        mem_mb=memory(7),
        runtime=minutes(5),
    conda:
        "../envs/cellstack.yaml"
    script:
        "../scripts/adjust_contrast.py"


rule denoise:
    """Remove noise from a channel."""
    input:
        contrast="<results>/{stack}/{channel}/contrast.tif",
    output:
        denoised="<results>/{stack}/{channel}/denoised.tif",
    params:
        **stage("denoise"),
    log:
        "<logs>/{stack}/{channel}/denoise.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/denoise.tsv"
    resources:
        mem_mb=memory(4),
        runtime=minutes(10),
    conda:
        "../envs/cellstack.yaml"
    script:
        "../scripts/denoise.py"
