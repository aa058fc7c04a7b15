"""The result of a comparison of objects with their ground truth."""

from typing import TypeAlias, TypedDict

from cellstack.evaluate.label_errors import LabelError

Scores: TypeAlias = dict[str, float | None]


class Evaluation(TypedDict):
    """Scores of a kind of object, as stored in scores.json."""

    ground_truth: str
    """`OUTLINES` or `POINTS` of :mod:`cellstack.evaluate.score_columns`."""
    thresholds: list[Scores]
    summary: Scores
    errors: dict[str, list[LabelError]]
    matches: list[LabelError]
