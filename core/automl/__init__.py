"""AutoML: settings, a search within hard limits, and a result with its evidence.

Importing this package is cheap: scikit-learn, FLAML, LightGBM, CatBoost and XGBoost load when a search needs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
