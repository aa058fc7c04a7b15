"""Errors in the settings of measurements that depend on the sheet."""

from collections.abc import Collection

from cellstack.config import settings, sheet
from cellstack.config.columns import STACK_COLUMNS
from cellstack.config.object_columns import COLUMNS, GROUPS, PAIR_COLUMNS, describe
from cellstack.config.schemas import Schemas, Settings
from cellstack.config.sheet import Row
from cellstack.config.values import quote
from cellstack.files import spreadsheets

OF_OBJECTS = ("diameter_um", "ground_truth", "labels")  # columns of the channels with objects
TISSUE = "tissue"  # channel that shows the tissue


def group_errors(
    given: Settings, config: Settings, rows: Collection[Row], schemas: Schemas, where: str
) -> list[str]:
    """Return the errors of the columns and groups that are compared.

    Columns of the sheet that the configuration names must exist, and name a unit and a pair for
    each stack of a group. The default of `group_by` need not exist.
    """
    names = {name for row in rows for name in row} - schemas.sheet["properties"].keys()
    block = settings.as_mapping(given.get("compare_groups"))
    group_by = config["group_by"]
    if not isinstance(group_by, str):
        return []  # the schema reports it
    named = {"group_by": given.get("group_by")}
    keys = ("unit", "pair_by")
    named |= {f"compare_groups.{key}": block.get(key) for key in keys}
    errors = []
    for key, name in named.items():
        if isinstance(name, str) and name not in names:
            hint = settings.suggest(name, sorted(names)) if names else "add it to the sheet"
            errors.append(f"config.{key}: {where} has no column {name!r} of your own; {hint}")
    cells: dict[str, Row] = {}
    for row in rows:
        if row["include"]:
            cells[row["stack"]] = settings.merge(cells.get(row["stack"], {}), row)
    grouped = {stack: row for stack, row in cells.items() if group_by in row}
    for key in keys:
        column = named[f"compare_groups.{key}"]
        lacking = [stack for stack, row in grouped.items() if column not in row]
        if lacking and isinstance(column, str) and column in names:
            errors.append(
                f"config.compare_groups.{key}: {where} has no {column!r} for stack "
                f"{lacking[0]!r}; fill in the column"
            )
    compared = [group_by, *(named[f"compare_groups.{key}"] for key in keys)]
    for column in dict.fromkeys(each for each in compared if isinstance(each, str)):
        errors += _spelling_errors(rows, column, where)
    reference = block.get("reference")
    groups = sorted({str(row[group_by]) for row in grouped.values()})
    if isinstance(reference, str) and reference not in groups:
        hint = settings.suggest(reference, groups) if groups else f"fill in {group_by!r}"
        errors.append(f"config.compare_groups.reference: there is no group {reference!r}; {hint}")
    columns = block.get("columns")
    named_columns = map(str, columns if isinstance(columns, list) else ())
    unknown = [name for name in named_columns if not (describe(name) or name in STACK_COLUMNS)]
    known = {
        *COLUMNS,
        *PAIR_COLUMNS,
        *STACK_COLUMNS,
        *(name for of in GROUPS.values() for name in of),
    }
    return errors + [
        f"config.compare_groups.columns: {name!r} is not a column of objects.csv or stacks.csv; "
        + settings.suggest(name, sorted(known))
        for name in unknown
    ]


def _spelling_errors(rows: Collection[Row], column: str, where: str) -> list[str]:
    """Return an error for each cell that would split a stack, or a group by its spelling."""
    errors = []
    of_stacks: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for number, row in enumerate(rows, spreadsheets.FIRST_ROW):
        if not row["include"] or column not in row or row.get("channel") not in sheet.OBJECT_OF:
            continue
        stack, cell = row.get("stack", ""), str(row[column])
        place = f"{where} row {number}: {column} {quote(cell)}"
        first = of_stacks.setdefault(stack, cell)
        same = spelled.setdefault(" ".join(cell.casefold().split()), cell)
        if first != cell:
            errors.append(
                f"{place} differs from {quote(first)} in another row of stack {quote(stack)}; "
                "correct one of them, or leave it empty"
            )
        elif same != cell:
            errors.append(
                f"{place} differs from {quote(same)} only in case or spaces; "
                "write them the same way, or choose another name"
            )
    return errors


def tissue_errors(config: Settings, presets: Settings, rows: Collection[Row]) -> list[str]:
    """Return an error for each stack that lacks the channel in which its tissue is segmented."""
    errors = []
    for stack, channels in sheet.rows_in_use(rows).items():
        shown = [sheet.CHANNEL_OF[kind] for kind in config["objects"]]
        main = next(channel for channel in shown if channel in channels)
        preset = presets[channels[main]["preset"]]
        block = settings.merge(config["segment_tissue"], preset.get("segment_tissue", {}))
        if block["channel"] is not None and not {TISSUE, block["channel"]} & channels.keys():
            errors.append(
                f"config.segment_tissue.channel: stack {stack!r} has no row for channel "
                f"{block['channel']!r}; {settings.suggest(block['channel'], channels)}"
            )
    return errors


def spot_errors(config: Settings, rows: Collection[Row], where: str) -> list[str]:
    """Return the errors in the names of channels of spots and of simulations of spots."""
    errors = []
    present = {row.get("channel"): None for row in rows if row["include"]}
    others = [channel for channel in present if channel and channel not in sheet.OBJECT_OF]
    for channel in config["detect_spots"]["channels"]:
        place = f"config.detect_spots.channels.{channel}"
        if channel in sheet.OBJECT_OF:
            errors.append(
                f"{place}: this channel shows {sheet.OBJECT_OF[channel]}, which are segmented; "
                "give spots a channel of another name"
            )
        elif channel not in present:
            hint = settings.suggest(channel, others) if others else "add rows for it"
            errors.append(f"{place}: {where} has no channel {quote(channel)}; {hint}")
    for name in config["simulate_spots"]:
        if name not in config["simulate_stack"]:
            known = config["simulate_stack"]
            hint = settings.suggest(name, known) if known else "add it to simulate_stack"
            errors.append(f"config.simulate_spots: no stack {quote(name)} is simulated; {hint}")
    for number, row in enumerate(rows, spreadsheets.FIRST_ROW):
        is_spots = row.get("channel") in config["detect_spots"]["channels"]
        path = row.get("ground_truth", "")
        if is_spots and row["include"] and path and not spreadsheets.is_text_table(path):
            errors.append(
                f"{where} row {number}: ground_truth {quote(path)} of spots is not a table of "
                "points; give a .csv or .tsv file with the columns z_um, y_um, x_um"
            )
    return errors


def unused_errors(config: Settings, rows: Collection[Row], where: str) -> list[str]:
    """Return an error for each cell about objects in the row of a channel that shows none.

    A cell that is repeated in all rows of a stack is accepted.
    """
    used = [row for row in rows if row["include"]]
    of_objects = {
        (row.get("stack"), column, row.get(column))
        for row in used
        for column in OF_OBJECTS
        if row.get("channel") in sheet.OBJECT_OF
    }
    errors = []
    for number, row in enumerate(rows, spreadsheets.FIRST_ROW):
        channel = row.get("channel")
        if not row["include"] or channel is None or channel in sheet.OBJECT_OF:
            continue
        for column in OF_OBJECTS:
            is_of_spots = column == "ground_truth" and channel in config["detect_spots"]["channels"]
            is_repeated = (row.get("stack"), column, row.get(column)) in of_objects
            if column in row and not is_of_spots and not is_repeated:
                errors.append(
                    f"{where} row {number}: {column} has no effect in a row of channel "
                    f"{quote(channel)}; move it to the row of channel "
                    f"{' or '.join(map(repr, sheet.OBJECT_OF))}, or delete the cell"
                )
    return errors


def relation_errors(config: Settings, rows: Collection[Row], where: str) -> list[str]:
    """Return the errors of groups of columns and thresholds that no stack has the channels for."""
    channels: dict[str, dict[str, None]] = {}
    for row in rows:
        if "channel" in row:
            channels.setdefault(row.get("stack", ""), {})[row["channel"]] = None
    known = list(dict.fromkeys(name for names in channels.values() for name in names))
    errors = [
        f"config.measure_relations.thresholds: {where} has no channel {channel!r}; "
        f"{settings.suggest(channel, known)}"
        for channel in config["measure_relations"]["thresholds"]
        if channel not in known
    ]
    if "correlation" in config["measure_objects"]["columns"] and all(
        len(names) < 2 for names in channels.values()
    ):
        errors.append(
            f"config.measure_objects.columns: no stack in {where} has two channels, which the "
            "group correlation needs; remove it, or add a row for another channel"
        )
    return errors
