"""Monitoring: whether new rows are like those that a model was tested on, and how good it is on them.

A batch is kept as a sketch, which is bounded in size and has none of its rows; any two sketches can be compared. Tests
keep their level over many columns and over many looks, and a change counts where it is large enough to matter.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
