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
