"""The library of cellstack: pure functions, arrays and numbers in, arrays or tables out.

Every stage of the workflow has a module of its own here that bears the name of its rule (``denoise``, ``find_seeds`` ...). Arrays are
ordered ZYX, spacings are (z, y, x) in um. Nothing in this package knows of Snakemake but :mod:`cellstack.job`.
"""
