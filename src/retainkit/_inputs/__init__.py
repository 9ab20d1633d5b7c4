"""Read and check the tables that users bring, declared column by column."""
