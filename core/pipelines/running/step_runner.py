"""One step: its values, its key, and its outputs, kept or made now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import PlumblineError
from core.jsonable import JsonObject
from core.pipelines.bindings import Data, Given
from core.pipelines.graph import PipelineInput, Source, Step, StepOutput
from core.pipelines.model import Pipeline
from core.pipelines.running.calls import StepValues
from core.pipelines.running.contents import content_digest, digests_of
from core.pipelines.running.inputs import Inputs, InputValue
from core.pipelines.running.result import StepResult
from core.pipelines.running.step_cache import KeptStep, StepCache
from core.pipelines.running.step_call import Execute, StepOutcome, StepState
from core.pipelines.running.step_key import changes, key_of, parts_of
from core.pipelines.running.work import work_of
from core.pipelines.values import typed_value

__all__ = ["StepRunner"]


@dataclass(frozen=True)
class StepRunner:
    """Runs the steps of one pipeline; threads may use it at the same time.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline.
    inputs : Inputs
        Its inputs.
    folder : Path
        Folder for the steps' files.
    cache : StepCache or None
        Keeper of outputs.
    execute : callable
        Function that runs a call.
    should_stop : callable
        Function that says whether the pipeline is to be cancelled.
    rerun : frozenset of str
        Paths of steps that run again though their outputs are kept.
    """

    pipeline: Pipeline
    inputs: Inputs
    folder: Path
    cache: StepCache | None
    execute: Execute
    should_stop: Callable[[], bool]
    rerun: frozenset[str]

    def run(self, step: Step, needed: Mapping[str, StepResult]) -> StepResult:
        """Return what became of a step; `needed` has the results of the steps that it needs."""
        if self.should_stop():
            return StepResult(StepState.CANCELLED, False, "The pipeline was cancelled.", {})
        try:
            return self._run(step, needed)
        except PlumblineError as error:  # the disk is full, or there are too many files: the other steps continue
            return StepResult(StepState.FAILED, False, error.message, {}, error.hint)

    def _run(self, step: Step, needed: Mapping[str, StepResult]) -> StepResult:
        values = self._values(step, needed)
        digests = {name: content_digest(digests_of(path)) for name, path in values.files.items()}
        parts = parts_of(step, values.parameters, digests)
        key = key_of(parts)
        paths = {name: self._path(step, name, port.type) for name, port in step.outputs.items()}
        reason, kept = self._kept(step, key, parts)
        if kept is not None and self.cache is not None:
            self.cache.restore(step.path, kept, paths)
            return StepResult(StepState.SUCCEEDED, True, reason, paths)
        outcome = work_of(step, values, self._folder(step), paths, self.execute, self.should_stop)
        if outcome.state is not StepState.SUCCEEDED:
            return StepResult(outcome.state, False, outcome.message, {}, outcome.hint, run_id=outcome.run_id)
        return self._finished(step, key, parts, paths, reason, outcome)

    def _finished(
        self, step: Step, key: str, parts: JsonObject, paths: Mapping[str, Path], reason: str, outcome: StepOutcome
    ) -> StepResult:
        if self.cache is not None:
            outputs = {name: digests_of(path) for name, path in paths.items()}
            kept = KeptStep(key, parts, outputs, time.time(), outcome.run_id or str(self.folder))
            self.cache.keep(self.pipeline.title, step.path, parts, kept, paths)
        return StepResult(StepState.SUCCEEDED, False, reason, paths, run_id=outcome.run_id)

    def _kept(self, step: Step, key: str, parts: JsonObject) -> tuple[str, KeptStep | None]:
        """Return why a step runs or not, and the outputs that are kept."""
        if self.cache is None:
            return "Nothing is kept between runs.", None
        resumed = self.cache.resumed(step.path, key)
        if resumed is not None:
            return "It was done before the run was interrupted.", resumed
        if self.pipeline.settings.force_rerun:
            return "The pipeline says force_rerun.", None
        if step.path in self.rerun:
            return "It was asked to run again.", None
        if not step.node.component.deterministic:
            return "Its component says is_deterministic: false.", None
        kept = self.cache.find(key)
        if kept is not None:
            at = datetime.fromtimestamp(kept.at, UTC)
            return f"Nothing changed since it ran at {at:%Y-%m-%d %H:%M} UTC.", kept
        earlier = self.cache.latest(self.pipeline.title, step.path)
        if earlier is None:
            return "It had not run before.", None
        changed = changes(parts, earlier)
        return f"{changed[:1].upper()}{changed[1:]}." if changed else "Its outputs are no longer kept.", None

    def _values(self, step: Step, needed: Mapping[str, StepResult]) -> StepValues:
        """Return the values of a step's inputs, with defaults for those that are left out."""
        parameters: dict[str, str | int | float | bool] = {}
        files: dict[str, Path] = {}
        for name, port in step.node.component.inputs.items():
            value = self._value(step.sources[name], needed) if name in step.sources else port.default
            if value is None:
                continue
            if isinstance(value, Path):
                files[name] = value
            else:
                parameters[name] = typed_value(port, value)
        for name, source in step.sources.items():
            if name not in step.node.component.inputs:  # a setting of a search that is an input of the pipeline
                value = self._value(source, needed)
                if value is not None and not isinstance(value, Path):
                    parameters[name] = value
        return StepValues(parameters, files)

    def _value(self, source: Source, needed: Mapping[str, StepResult]) -> InputValue | None:
        match source:
            case Given(value=value):
                return value
            case Data():
                return self.inputs.path_of(source)
            case PipelineInput(name=name):
                return self.inputs.values.get(name)
            case StepOutput(step=step, output=output):
                return needed[step].outputs[output]

    def _folder(self, step: Step) -> Path:
        return self.folder / "steps" / step.path

    def _path(self, step: Step, output: str, kind: str) -> Path:
        """Return where an output is written: a folder, or a file in a folder of its own."""
        path = self._folder(step) / "outputs" / output
        return path / output if kind == "uri_file" else path
