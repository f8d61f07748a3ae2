"""Hostile files: small on disk, and made to take any memory or time, or to crash what reads them.

Each is a `HostileFile`, written by a function of its path. `run.py` reads them one by one and measures.
"""
