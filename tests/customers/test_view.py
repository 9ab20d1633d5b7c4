"""One row a customer as of an instant: published cases, traps, and the edges of every window."""
