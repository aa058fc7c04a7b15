"""Find the line of an error in a configuration file; Snakemake only reports that there is one."""

from pathlib import Path
from typing import Any


def check_yaml(path: str | Path) -> None:
    """Check that a file is a YAML mapping without repeated keys, unless it is absent.

    YAML readers silently use only the last value of a repeated key.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    snakemake.exceptions.WorkflowError
        It is not valid YAML, not encoded in UTF-8, has no keys, or has a key twice.
    """
    import yaml
    from snakemake.exceptions import WorkflowError

    file = Path(path)
    if not file.is_file():
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
    if repeated := _repeated_keys(root):
        raise WorkflowError("\n".join(f"{path}: {each}" for each in repeated))


def _repeated_keys(root: Any) -> list[str]:
    """Return a message for each key that a mapping of a YAML document has twice."""
    messages, nodes, seen = [], [root], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen or isinstance(node.value, str):  # an alias, or a scalar
            continue
        seen.add(id(node))
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
