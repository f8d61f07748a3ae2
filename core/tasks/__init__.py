"""Kinds of run, one module each: the only place that knows both a domain and the run engine.

A module has ``SPEC`` (a `core.jobs.TaskSpec`: everything that the engine and the pages know of this kind of run),
``run(context) -> dict`` (JSON-serializable), and a function that submits such a run. What is heavy is imported inside
``run``: pages import these modules too.
"""
