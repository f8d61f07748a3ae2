"""Tables: reading any file, what is in them, what is wrong with them, and samples to start with.

Importing this package is cheap: DuckDB, Arrow, pandas and scikit-learn load when a function needs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
