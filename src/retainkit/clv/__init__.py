"""Customer lifetime value: how often customers will buy, and for how much."""
