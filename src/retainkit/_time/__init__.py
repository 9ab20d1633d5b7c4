"""Periods as integers, elapsed time, zones, moments and lengths of time.

No other code does date arithmetic. Two kinds of integers run through it:

- an *instant*, microseconds since 1970-01-01 00:00 UTC (for naive times: as if they were UTC), and
- a *wall* time, the time that a clock in the chosen zone shows then, counted the same way.

A period is numbered from the one that holds 1970-01-01, so an age is a plain difference. Everything
exists for NumPy arrays and, under a name that ends in ``_expr``, as narwhals expressions that give
the same integers inside any engine; the functions on plain integers serve both.
"""
