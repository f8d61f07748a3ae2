"""Decisions from scores: what each threshold does and costs, the rows with the highest scores, policies to keep.

Only NumPy and pandas are needed, so that a page can follow a slider.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
