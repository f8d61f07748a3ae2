from .bindings import DATA_TYPES, VALUE_TYPES, Asset, Data, Given, InputOf, OutputOf, Value
from .commands import Command, commands_of
from .comparison import ComparedStep, Difference, RunComparison, StepComparison, compare_runs, metrics_of
from .errors import PipelineError, Position
from .examples import example_pipelines
from .exporting import Exported, asset_name, export_preparation, export_search, export_training
from .graph import PipelineInput, Step, StepOutput, descendants, promoted_outputs, steps_of
from .model import Component, Node, OutputPort, Pipeline, PipelineSettings, Port
from .reading.loader import load_component, load_pipeline
from .reading.sources import ComponentSource
from .running.execute import execute
from .running.inputs import assets_of
from .running.result import PipelineResult, StepResult
from .running.run import run_pipeline
from .running.step_cache import FolderCache, KeptStep, StepCache
from .running.step_call import StepCall, StepOutcome, StepState
from .shipped import component_files
from .shipped.monitor_batch import WATCHED
from .shipped.register_model import REGISTRATION, WORKSPACE_VARIABLE
from .uploaded import UploadedPipeline, pipeline_among, unpacked
from .values import typed_value

__all__ = [
    "DATA_TYPES",
    "REGISTRATION",
    "VALUE_TYPES",
    "WATCHED",
    "WORKSPACE_VARIABLE",
    "Asset",
    "Command",
    "ComparedStep",
    "Component",
    "ComponentSource",
    "Data",
    "Difference",
    "Exported",
    "FolderCache",
    "Given",
    "InputOf",
    "KeptStep",
    "Node",
    "OutputOf",
    "OutputPort",
    "Pipeline",
    "PipelineError",
    "PipelineInput",
    "PipelineResult",
    "PipelineSettings",
    "Port",
    "Position",
    "RunComparison",
    "Step",
    "StepCache",
    "StepCall",
    "StepComparison",
    "StepOutcome",
    "StepOutput",
    "StepResult",
    "StepState",
    "UploadedPipeline",
    "Value",
    "asset_name",
    "assets_of",
    "commands_of",
    "compare_runs",
    "component_files",
    "descendants",
    "example_pipelines",
    "execute",
    "export_preparation",
    "export_search",
    "export_training",
    "load_component",
    "load_pipeline",
    "metrics_of",
    "pipeline_among",
    "promoted_outputs",
    "run_pipeline",
    "steps_of",
    "typed_value",
    "unpacked",
]
