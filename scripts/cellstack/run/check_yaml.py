"""Find the line of an error in a configuration file; Snakemake only reports that there is one."""

from pathlib import Path


def check_yaml(path: str | Path) -> None:
    """Check that a file is valid YAML, unless it is absent.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    snakemake.exceptions.WorkflowError
        It is not valid YAML, or not encoded in UTF-8.
    """
    import yaml
    from snakemake.exceptions import WorkflowError

    file = Path(path)
    if not file.is_file():
        return
    try:
        yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        tabs = ", and indent with spaces instead of tabs" if r"'\t'" in str(error) else ""
        where = str(error).replace('"<unicode string>"', f'"{path}"')
        raise WorkflowError(f"{path} is not valid YAML: correct this line{tabs}\n{where}") from None
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path} is not encoded in UTF-8 ({error}): save it as UTF-8") from None
