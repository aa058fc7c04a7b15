"""Colours of figures and pages: the palette of Okabe and Ito, suitable for colour blindness.

Nothing is imported here, as pages without a plot use the colours too.

References
----------
M. Okabe and K. Ito, Color universal design, 2008, https://jfly.uni-koeln.de/color/
"""

ORANGE = "#e69f00"
SKY_BLUE = "#56b4e9"
BLUISH_GREEN = "#009e73"
YELLOW = "#f0e442"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
REDDISH_PURPLE = "#cc79a7"

COLORS = (ORANGE, SKY_BLUE, BLUISH_GREEN, YELLOW, BLUE, VERMILLION, REDDISH_PURPLE)
"""For outlines over images and for series of data, in the order in which they are used."""

CURVE_COLORS = (BLUE, VERMILLION, BLUISH_GREEN, REDDISH_PURPLE, ORANGE, SKY_BLUE)
"""For curves on white: those with enough contrast, the darkest first."""

ALERT = VERMILLION
"""For text that must not be missed."""

SECONDARY = "0.35"
"""For text of lesser importance, a grey."""
