"""Check of the commands of other programs that segment, before anything runs."""

from cellstack.config.sheet import CHANNEL_OF
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.core.counting import counted
from cellstack.errors import InputError


def check_segmenters(study: Study) -> None:
    """Build the command of each segmenter that a stack or a run of the sweep uses.

    Parameters
    ----------
    study : Study

    Raises
    ------
    InputError
        With one line for each command that cannot be built.
    """
    errors: dict[str, None] = {}  # in order, each once
    for kind in study.object_kinds:
        channel = CHANNEL_OF[kind]
        for unit in study.units_with_segmenter(kind):
            # imported only here, since few studies use another program
            from cellstack.segment.run_segmenter import METHODS, placeholders

            block = study.block("run_segmenter", unit, channel)
            preset = study.preset_name(unit, channel)
            own = f"config.presets.{preset}." if "run_segmenter" in study.preset(preset) else ""
            if run := Unit.parse(unit).run:
                own = f"run {run} of the sweep: "
            values = placeholders("/image.tif", "/output.tif", (1.0, 1.0, 1.0), 1.0, 1)
            try:
                METHODS[block["method"]](values, **block[block["method"]])
            except InputError as error:
                errors[f"{own or 'config.'}{error}"] = None
    if errors:
        heading = f"{counted(len(errors), 'errors')} in the configuration or the sheet:"
        raise InputError("\n".join([heading, *errors]))
