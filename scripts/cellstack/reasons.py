"""The words of tables for why an object was not measured, and for what looks wrong with one that was."""

KEPT = "kept"
LATERAL_FACE = "lateral face"
TOP_OR_BOTTOM = "top or bottom face"
TOO_SMALL = "below size range"
TOO_LARGE = "above size range"
REASONS = (LATERAL_FACE, TOP_OR_BOTTOM, TOO_SMALL, TOO_LARGE)

SMALL, LARGE = "small for its stack", "large for its stack"
IRREGULAR = "irregular for its stack"
SEEDS = "seeds close together"
CONTRAST = "low contrast"
TOUCHES = "touches "  # and the name of the face
FLAGS = {  # in what the summary of a stack calls its counts: how such flags begin
    "face": TOUCHES,
    "small": SMALL,
    "large": LARGE,
    "irregular": IRREGULAR,
    "seeds": SEEDS,
    "contrast": CONTRAST,
}
