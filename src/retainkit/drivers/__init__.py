"""Key drivers: ratings and their importance for an outcome."""

from retainkit.drivers._key_drivers import key_drivers

__all__ = ["key_drivers"]
