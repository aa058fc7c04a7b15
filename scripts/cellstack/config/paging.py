"""Division of figures of many stacks into pages."""

STACKS_PER_PAGE = 60
COLUMNS_PER_PAGE = 12  # of the figures of groups
