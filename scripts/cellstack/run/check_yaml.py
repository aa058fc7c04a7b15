"""Find the line of an error in a configuration file; Snakemake only reports that there is one."""

import re
from pathlib import Path
from typing import Any

ODD_INTEGER = re.compile(r"[-+]?0[0-7_]*[1-7][0-7_]*|[-+]?[\d_]+(?::\d+)+(?:\.\d*)?")


def check_yaml(path: str | Path) -> None:
    """Check that a file is a YAML mapping without mistakes that its readers accept in silence.

    Of a repeated key they use only the last value, 010 is 8 for them, and 10:30 is 630.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    snakemake.exceptions.WorkflowError
        It is not valid YAML, not encoded in UTF-8, has no keys, has a key twice, or a number that
        begins with 0 or contains a colon.
    """
    import yaml
    from snakemake.exceptions import WorkflowError

    file = Path(path)
    if not file.is_file():  # an absent file is reported elsewhere
        return
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except yaml.YAMLError as error:
        tabs = ", and indent with spaces instead of tabs" if r"'\t'" in str(error) else ""
        where = str(error).replace('"<unicode string>"', f'"{path}"')
        raise WorkflowError(f"{path} is not valid YAML: correct this line{tabs}\n{where}") from None
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path} is not encoded in UTF-8 ({error}): save it as UTF-8") from None
    if not isinstance(root, yaml.MappingNode):
        found = "is empty" if root is None else "has no keys"
        raise WorkflowError(
            f"{path} {found}: write at least the typical diameter of a nucleus in um, such as\n"
            "diameter_um: {nuclei: 10}"
        )
    if mistakes := _mistakes(root):
        raise WorkflowError("\n".join(f"{path}: {each}" for each in mistakes))


def _mistakes(root: Any) -> list[str]:
    """Return a message for each repeated key and each number that is read as another one."""
    messages, nodes, seen = [], [root], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node.value, str):
            is_number = node.tag.endswith((":int", ":float")) and node.style is None
            if is_number and ODD_INTEGER.fullmatch(node.value):
                messages.append(
                    f"'{node.value}' in line {node.start_mark.line + 1} is not read as a decimal "
                    "number; write it without leading zeros and colons, or in quotes if it is text"
                )
            continue
        lines: dict[str, int] = {}
        for child in node.value:
            if not isinstance(child, tuple):  # an item of a list
                nodes.append(child)
                continue
            key, value = child
            nodes.append(value)
            line = key.start_mark.line + 1
            if isinstance(key.value, str) and key.value != "<<":
                if key.value in lines:
                    messages.append(
                        f"the key '{key.value}' is in line {lines[key.value]} and again in line "
                        f"{line}, and only the last one would count; write both under one key"
                    )
                lines[key.value] = line
    return messages
