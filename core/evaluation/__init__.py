"""Evaluation: metrics, estimates with intervals, curves, verdicts and the held-out split, for every kind of model.

Importing this package is cheap: scikit-learn loads when a metric is computed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
