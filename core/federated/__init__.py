"""Federated learning: one model from the tables of several sites, which stay where they are.

Importing this package is cheap: scikit-learn and LightGBM load when a training needs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
