"""Kinds of runs, one module each: the only place that knows both a domain and the run engine.

A module has ``run(context) -> dict`` (JSON-serialisable) and may set ``RESUMABLE``, ``STOPPABLE`` and ``SHORT``;
beside it, a function that submits such a run. What is heavy is imported inside ``run``: pages import these
modules too.
"""
