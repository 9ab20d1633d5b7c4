"""How many customers will stay: models of retention and their projection."""
