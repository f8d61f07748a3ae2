"""Pipelines: Azure ML pipeline files, read, checked and run on this machine.

Importing this package is cheap.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
