"""Models: a registry with versions and aliases, new rows scored, cards that say what was measured, MLflow's format.

Importing this package is cheap: what trained a model loads only when the model itself scores.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
