"""Charts that pages, cards and summaries share: built once as Altair charts, in the colors of a `Palette`.

Pages draw them in the browser. Files have them as SVG, which `svg_of` makes in a process of its own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
