"""Figures of many stacks are divided into pages."""

STACKS_PER_PAGE = 60
