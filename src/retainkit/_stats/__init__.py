"""Statistics on arrays: intervals, differences, survival, weights. They know no frames."""
