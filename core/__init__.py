"""Plumbline's headless core: everything the pages show, usable from a script or a notebook."""
