"""Fine-tuning: settings, base models, a training that can be paused and resumed, and a result with its evidence.

Importing this package is cheap: torch, transformers and scikit-learn load when a training needs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
