"""Models: a registry with versions and aliases, scoring of new rows, model cards, and MLflow's format.

Importing this package is cheap: the libraries that trained a model load only when the model itself scores.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
