"""Conversion between native frames and narwhals.

No other code knows which library a frame comes from.
"""
