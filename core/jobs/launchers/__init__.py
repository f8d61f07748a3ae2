"""Where runs work: on this machine, or on nodes that an engine has. An engine places a run's monitor and nothing more.

The catalog stays the queue and the truth: an engine receives the needs of a run, finds a node for it and starts
``python -m core.jobs.monitor <run_id>`` there.
"""
