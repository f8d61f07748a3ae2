"""Features: columns of a raw table as numbers, the same in training, scoring and export.

Importing this package is cheap: scikit-learn loads when a table is encoded.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
