"""Why a model says what it says: over a table, for one row, and what would change its answer.

Importing this package is cheap, and so are reading an `Explanation` and explaining a row of a scoring function:
scikit-learn, SHAP and the boosters load in `explain` only.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
