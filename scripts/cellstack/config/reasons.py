"""Words used in tables: why objects were not measured, and what is unusual about measured ones."""

KEPT = "kept"
LATERAL_FACE = "lateral face"
TOP_OR_BOTTOM = "top or bottom face"
BESIDE_NO_DATA = "beside no data"
TOO_SMALL = "below size range"
TOO_LARGE = "above size range"
REASONS = (LATERAL_FACE, TOP_OR_BOTTOM, BESIDE_NO_DATA, TOO_SMALL, TOO_LARGE)

SMALL, LARGE = "small for its stack", "large for its stack"
LONG = "long for its stack"
IRREGULAR = "irregular for its stack"
BRIGHT = "bright for its stack"
SEEDS = "seeds close together"
CONTRAST = "low contrast"
PARTS = "several parts"
TOUCHES = "touches "  # followed by the name of the face, or by:
NO_DATA = "no data"
FLAGS = {  # kind of flag: how such a flag begins
    "face": TOUCHES,
    "small": SMALL,
    "large": LARGE,
    "long": LONG,
    "irregular": IRREGULAR,
    "seeds": SEEDS,
    "contrast": CONTRAST,
    "bright": BRIGHT,
    "parts": PARTS,
}
# Flags of a stack whose diameter is probably wrong begin with one of these
OTHER_DIAMETER, SUGGESTED = "objects of another diameter", "the image suggests a diameter"
