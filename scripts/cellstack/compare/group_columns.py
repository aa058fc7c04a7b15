"""Names, units and definitions of the columns of the tables of groups."""

from typing import TypeAlias

Columns: TypeAlias = dict[str, tuple[str, str]]
"""Unit and definition by name, in the order of the table."""

KEY: Columns = {
    "object": ("", "Kind of object: nuclei or cells"),
    "column": (
        "",
        "Column of objects.csv or stacks.csv that is compared; class_fraction_ and the name of a "
        "class is its fraction of the measured objects that have a class",
    ),
    "unit": ("", "Unit of this column, and of means, differences and standard deviations"),
}
GROUPS: Columns = {
    **KEY,
    "group_1": ("", "Group that the other is compared with; the reference if there is one"),
    "group_2": ("", "Group that is compared with group_1"),
    "design": ("", "independent units, or paired units"),
    **{
        f"{name}_{number}": ("", f"{what} of group_{number}")
        for name, what in {
            "count_units": "Number of experimental units (of pairs, if they are paired) with a "
            "value in the column,",
            "count_stacks": "Number of stacks with a value in the column, of these units",
            "count_objects": "Number of objects with a value in the column, of these units",
            "mean": "Mean over the units",
            "sd": "Standard deviation over the units (n - 1)",
        }.items()
        for number in (1, 2)
    },
    "difference": ("", "Mean of group_2 minus mean of group_1"),
    "ratio": (
        "",
        "Mean of group_2 divided by mean of group_1; empty if the first is not above 0, or the "
        "second is below 0",
    ),
    "difference_low": (
        "",
        "Lower end of the confidence interval of the difference: expanded percentiles of 10000 "
        "bootstrap samples of the units, seed 0; empty below three units in a group",
    ),
    "difference_high": ("", "Upper end of this interval"),
    "confidence": ("", "Nominal coverage of this interval; with three or four pairs it is lower"),
    "test": ("", "Name of the test of the difference; empty below three units in a group"),
    "statistic": ("", "Its statistic, positive if the mean of group_2 is larger"),
    "degrees_of_freedom": ("", "Its degrees of freedom"),
    "p_value": ("", "Its two-sided p value"),
    "p_corrected": ("", "p_value corrected for all tests of the table by the method correction"),
    "correction": (
        "",
        "benjamini_hochberg (limits the fraction of false discoveries) or holm (limits the "
        "probability of any)",
    ),
    "count_tests": ("", "Number of p values that are corrected together"),
    "p_permutation": (
        "",
        "p value of a permutation test of the same difference, which does not assume a normal "
        "distribution; not corrected; never below 0.1 with three units in each group",
    ),
    "p_all_groups": (
        "",
        "p value of Welch's ANOVA over all groups, if three or more have three independent units; "
        "not corrected",
    ),
    "p_all_groups_corrected": (
        "",
        "p_all_groups corrected by the same method for all columns and kinds of object",
    ),
    "warnings": ("", "Reasons to doubt the comparison, joined by ;"),
}
UNITS: Columns = {
    **KEY,
    "group": ("", "Group of the unit"),
    "pair": ("", "Name by which the unit is paired; empty without pairs"),
    "unit_name": ("", "Name of the experimental unit; of the stack, if each stack is a unit"),
    "count_stacks": ("", "Number of stacks of the unit with a value in the column"),
    "count_objects": (
        "",
        "Number of objects of the unit with a value in the column; for columns of stacks.csv, of "
        "objects found",
    ),
    "mean": ("", "Mean over the stacks of the unit of the mean over the objects of each"),
}
TABLES: dict[str, Columns] = {"groups.csv": GROUPS, "group_units.csv": UNITS}
