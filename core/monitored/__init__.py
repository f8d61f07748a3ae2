"""Registered models that are watched: their plans, the evidence that batches are compared with, and the batches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
