"""The diameter by which stages go: given, or estimated from the stack where it is `auto`."""

from cellstack.sizes import AUTO, DIAMETER, has_sizes


def given_diameter(stack, channel):
    """Give the diameter of the object that a channel shows, in um, or "auto", or None."""
    return stacks[stack][channel].get("diameter_um", config["diameter_um"].get(sheet.OBJECT_OF.get(channel)))


def diameter(stack, channel):
    """Give the diameter by which stages go, or "auto": for cells, where none is given, it follows from that of their nuclei."""
    given = given_diameter(stack, channel)
    if given in (None, AUTO) and channel == "membrane" and "nuclei" in stacks[stack]:
        of_nuclei = given_diameter(stack, "nuclei")
        return AUTO if of_nuclei == AUTO else sheet.CELLS_TO_NUCLEI * of_nuclei
    return given


def diameter_file(stack, channel):
    """List the file of the diameter of the object that a channel shows, where it is estimated."""
    return [f"<results>/{stack}/{channel}/diameter.json"] if diameter(stack, channel) == AUTO else []


def estimated_diameter(wildcards):
    """List the file of the diameter of the object of a job, where it is estimated."""
    return diameter_file(wildcards.stack, channel_of(wildcards))


def diameter_for(name, channel=None):
    """Give the input of a stage that holds its diameter: a file, where that is estimated and a setting goes by it; see `stage`."""

    def files(wildcards):
        row_of = channel or channel_of(wildcards)
        estimated = diameter_file(wildcards.stack, row_of)
        arguments = stage_arguments(name, stacks[wildcards.stack][row_of]["preset"], AUTO) if estimated else {}
        return estimated if has_sizes(arguments) else []

    return files


def object_diameter(wildcards):
    """Give the diameter of the object kind of a job in um, or the size that its file comes to."""
    used = diameter(wildcards.stack, channel_of(wildcards))
    return DIAMETER if used == AUTO else used


def diameter_source(wildcards):
    """Say where the diameter of a job comes from; where it is estimated the file says so."""
    channel = channel_of(wildcards)
    if diameter(wildcards.stack, channel) == AUTO:
        return None
    return "from nuclei" if given_diameter(wildcards.stack, channel) in (None, AUTO) else "given"


def diameter_figures(wildcards):
    """List the figures of estimated diameters."""
    return [
        f"<results>/{stack}/figures/nuclei_diameter.png"
        for stack in stacks
        if "nuclei" in stacks[stack] and diameter_file(stack, "nuclei")
    ]


rule estimate_diameter:
    """Estimate the diameter of the nuclei of a stack, where it is auto."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
    output:
        record="<results>/{stack}/nuclei/diameter.json",
    log:
        "<logs>/{stack}/nuclei/estimate_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/estimate_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("estimate_diameter"),
        runtime=minutes("estimate_diameter"),
    params:
        **stage("estimate_diameter"),
    script:
        "../scripts/estimate_diameter.py"


rule derive_diameter:
    """Derive the diameter of the cells of a stack from the estimated one of their nuclei."""
    input:
        nuclei="<results>/{stack}/nuclei/diameter.json",
    output:
        record="<results>/{stack}/membrane/diameter.json",
    log:
        "<logs>/{stack}/membrane/derive_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/membrane/derive_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("derive_diameter"),
        runtime=minutes("derive_diameter"),
    params:
        factor=sheet.CELLS_TO_NUCLEI,
        source=source_hash("derive_diameter"),
    script:
        "../scripts/derive_diameter.py"


rule plot_diameter:
    """Draw how the diameter of the nuclei of a stack was estimated, and circles of that size over the stack."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
        record="<results>/{stack}/nuclei/diameter.json",
    output:
        figure=report(
            "<results>/{stack}/figures/nuclei_diameter.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/diameter.rst",
        ),
    log:
        "<logs>/{stack}/nuclei/plot_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/plot_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_diameter"),
        runtime=minutes("plot_diameter"),
    params:
        title="{stack}",
        note=note,
        source=source_hash("plot_diameter"),
    script:
        "../scripts/plot_diameter.py"
