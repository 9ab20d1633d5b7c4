"""Value that customers brought since they came, by age, and payback of what they cost."""

from retainkit.acquisition._observed_value import observed_value
from retainkit.acquisition._payback import payback

__all__ = ["observed_value", "payback"]
