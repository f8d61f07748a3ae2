"""A sandbox for the worker of a run: bubblewrap around it, and its monitor as the only way to the catalog.

The worker sees the code, the Python environment and its own folders; it has no network, no other processes and none of
the installation's passwords. What tasks read and change goes through a socket to the monitor (`broker`), which does
what is on a closed list (`operations`), for this run and its workspace only (`grant`). Within the sandbox the same
functions stand in the same places (`client`), so that no task knows of it.
"""

from core.jobs.sandbox.sandbox import Sandbox, exit_status, require_sandbox

__all__ = ["Sandbox", "exit_status", "require_sandbox"]
