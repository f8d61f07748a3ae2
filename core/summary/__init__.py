"""Summaries: what a model or a comparison of groups says, on a page that can be handed on.

A `ResultSummary` is made of sentences, tables and charts from what is stored; `render_html` and `render_pdf` write it
as a file. What is not known is said, with the reason.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
