"""Latency testing that does not lie: each measurement in a process of its own, with its doubts beside its figures.

Importing this package is cheap: ONNX Runtime loads in the measuring process only, never in the caller's.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
