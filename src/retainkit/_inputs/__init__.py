"""The tables that users bring: declared column by column, and checked once."""
