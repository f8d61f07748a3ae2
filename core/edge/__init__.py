"""To the edge: models as ONNX files that are proven equal, smaller and timed, and scoring with ONNX Runtime alone.

Importing this package is cheap: torch, scikit-learn and the converters load in `export_onnx` only, ONNX Runtime where
a model is loaded.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
