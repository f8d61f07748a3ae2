"""Runs a pipeline: each step as soon as what it needs is there, and no step whose outputs are kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from core.pipelines.graph import Step, descendants, promoted_outputs, steps_of
from core.pipelines.model import Pipeline
from core.pipelines.running.execute import execute as execute_here
from core.pipelines.running.inputs import resolve_inputs
from core.pipelines.running.result import PipelineResult, StepResult
from core.pipelines.running.step_cache import FolderCache, StepCache
from core.pipelines.running.step_call import Execute, StepState
from core.pipelines.running.step_runner import StepRunner
from core.progress import Event, Report, silent
from core.resources import usable_cores

__all__ = ["run_pipeline"]

_FAILED = (StepState.FAILED, StepState.TIMED_OUT, StepState.CANCELLED)


def run_pipeline(
    pipeline: Pipeline,
    *,
    inputs: Mapping[str, object] | None = None,
    workdir: str | Path,
    cache: str | Path | StepCache | None = None,
    execute: Execute | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    max_parallel: int | None = None,
    rerun_from: Collection[str] = (),
) -> PipelineResult:
    """Run a pipeline on this machine.

    Inputs are checked before anything runs. Independent steps run at the same time. A step that fails ends the
    pipeline, after the steps that run already; with ``continue_on_step_failure`` all steps run that do not need it.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline that `load_pipeline` returned.
    inputs : dict of str to object, optional
        Values by the name of an input, and local folders or files by the name of data: ``azureml:customer_data@latest``
        is ``inputs["customer_data"]``.
    workdir : path
        Folder for the steps' files; it is made where it does not exist.
    cache : path or StepCache, optional
        Folder in which outputs are kept for the next run; by default nothing is kept.
    execute : callable, optional
        Function that runs a `StepCall`; by default as a child process.
    report : callable, optional
        Function that receives events of the phase ``"step"``, with ``step``, ``state``, ``cached`` and ``reason``.
    should_stop : callable, optional
        Function that returns True when the pipeline is to be cancelled.
    max_parallel : int, optional
        Most steps that run at the same time; by default as many as there are cores.
    rerun_from : collection of str, default=()
        Paths of steps that run again with all that need them, though their outputs are kept.

    Returns
    -------
    PipelineResult
        A step that fails is a result, not an exception.

    Raises
    ------
    InputError
        When an input is missing, unknown or wrong.

    See Also
    --------
    load_pipeline : Reads the file.
    """
    began = time.monotonic()
    steps = steps_of(pipeline)
    resolved = resolve_inputs(pipeline, steps, dict(inputs or {}))
    folder = Path(workdir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    runner = StepRunner(
        pipeline,
        resolved,
        folder,
        FolderCache(cache) if isinstance(cache, str | Path) else cache,
        execute or execute_here,
        lambda: ended.is_set() or (should_stop is not None and should_stop()),
        frozenset(descendants(steps, rerun_from)),
    )
    results = _run_all(pipeline, steps, runner, report or silent, max_parallel or usable_cores(), ended)
    return PipelineResult(
        {step.path: results[step.path] for step in steps},
        {
            name: results[output.step].outputs[output.output]
            for name, output in promoted_outputs(pipeline).items()
            if output.output in results[output.step].outputs
        },
        time.monotonic() - began,
    )


def _run_all(
    pipeline: Pipeline,
    steps: list[Step],
    runner: StepRunner,
    report: Report,
    max_parallel: int,
    stop: threading.Event,
) -> dict[str, StepResult]:
    results: dict[str, StepResult] = {}
    running: dict[Future[StepResult], Step] = {}

    def say(step: Step, text: str, **values: object) -> None:
        report(Event("step", len(results) / len(steps), f"{step.path}: {text}", {"step": step.path, **values}))

    def finish(step: Step, result: StepResult) -> None:
        results[step.path] = result
        values = {"state": str(result.state), "cached": result.cached, "reason": result.reason, "hint": result.hint}
        say(step, result.reason, **values, run_id=result.run_id)

    with ThreadPoolExecutor(max_workers=max_parallel, thread_name_prefix="step") as pool:
        try:
            while len(results) < len(steps):
                for step in steps:
                    if step.path in results or step in running.values():
                        continue
                    skipped = _skipped(step, results, pipeline.settings.continue_on_step_failure)
                    if skipped is not None:
                        finish(step, skipped)
                    elif len(running) < max_parallel and all(path in results for path in step.needs):
                        needed = {path: results[path] for path in step.needs}
                        running[pool.submit(_timed, runner, step, needed)] = step
                        say(step, "begins", state="RUNNING")
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    finish(running.pop(future), future.result())
        except BaseException:
            stop.set()  # this process is being ended, or has a defect: the commands end before it does
            raise
    return results


def _skipped(step: Step, results: Mapping[str, StepResult], continues: bool) -> StepResult | None:
    """Return the result of a step that cannot run, or is not to run, after what happened."""
    for path in step.needs:
        if path in results and results[path].state is not StepState.SUCCEEDED:
            return StepResult(StepState.SKIPPED, False, f"It needs '{path}', which has no outputs.", {})
    failed = next((path for path, result in results.items() if result.state in _FAILED), None)
    if failed is not None and not continues:
        return StepResult(StepState.SKIPPED, False, f"Not started, because '{failed}' failed.", {})
    return None


def _timed(runner: StepRunner, step: Step, needed: Mapping[str, StepResult]) -> StepResult:
    began = time.monotonic()
    return replace(runner.run(step, needed), elapsed_s=time.monotonic() - began)
