"""Prepare a table in steps: each is a typed record with its effects, and a recipe replays them on new data."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
