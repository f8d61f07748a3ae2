"""Fairness: metrics by group with their intervals, scores sorted once, thresholds that can be defended.

Importing this package is cheap: NumPy and pandas load when a function needs them, Fairlearn in a mitigation only.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
