"""Items that are bought together, or one after the other, and how much oftener than by chance."""

from retainkit.affinity._affinity import product_affinity

__all__ = ["product_affinity"]
