"""Cohorts: groups of rows, described by conditions on the raw columns, where a model errs more than elsewhere.

Only NumPy and pandas are needed, so that a page can look for cohorts when its tab opens.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
