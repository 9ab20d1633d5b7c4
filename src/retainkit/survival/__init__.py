"""How long customers stay: survival curves and lifetimes."""
