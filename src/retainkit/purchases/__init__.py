"""One row a customer out of a log of purchases: frequency, recency, T and spend."""
