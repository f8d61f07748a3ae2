"""The smallest variant that is good enough: variants, threads, batch sizes and lengths, judged against one objective.

Importing this package is cheap: ONNX Runtime loads when variants are made, and in the measuring process.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
