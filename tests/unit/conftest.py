"""Studies for the tests of the configuration."""

import pytest
import yaml
from study import ROOT

from cellstack.config.measurements import check_classes
from cellstack.config.read_study import read_study
from cellstack.config.schemas import Schemas


@pytest.fixture(scope="session")
def schemas():
    return Schemas.read(ROOT / "config")


@pytest.fixture
def load_study(tmp_path, monkeypatch, schemas):
    """Return a function that loads a study from rows of a sheet, settings and a sweep table."""
    monkeypatch.chdir(tmp_path)

    def load(rows, sweep="", **config):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        lines = [",".join(columns)]
        lines += [",".join(str(row.get(column, "")) for column in columns) for row in rows]
        (tmp_path / "stacks.csv").write_text("\n".join(lines) + "\n")
        for row in rows:
            for column in ("image", "ground_truth", "labels"):
                if column in row:
                    file = tmp_path / row[column]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.touch()
        if sweep:
            (tmp_path / "sweep.csv").write_text(sweep)
            config["sweep"] = "sweep.csv"
        given = {"stacks": "stacks.csv", "diameter_um": {"nuclei": 10}} | config
        study = read_study(yaml.safe_load(yaml.safe_dump(given)), schemas, "resources", check=True)
        check_classes(study)
        return study

    return load
