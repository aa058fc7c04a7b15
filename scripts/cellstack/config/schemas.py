"""The schemas of the workflow, its predefined presets and the panels of the gallery."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cellstack.config import settings

Settings = dict[str, Any]


@dataclass(frozen=True)
class Schemas:
    """JSON schemas of the configuration, its stages and the sheet; presets and gallery panels."""

    config: Settings
    stages: Settings
    sheet: Settings
    presets: Settings
    gallery: Settings

    @classmethod
    def read(cls, folder: Path) -> "Schemas":
        """Read all of these from the folder ``config`` of the workflow."""

        def read_yaml(name: str) -> Settings:
            # libyaml, if PyYAML was built with it, takes a tenth of the time
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            content = (folder / name).read_text(encoding="utf-8")
            loaded: Settings = yaml.load(content, Loader=loader)
            return loaded

        stages = read_yaml("schemas/stages.schema.yaml")
        return cls(
            config=settings.join_schemas(read_yaml("schemas/config.schema.yaml"), stages),
            stages=stages,
            sheet=read_yaml("schemas/stacks.schema.yaml"),
            presets=read_yaml("presets.yaml"),
            gallery=read_yaml("gallery.yaml"),
        )
