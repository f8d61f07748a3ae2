"""The keys of pipeline files, and those that have no effect here."""

from __future__ import annotations

from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.sections import Section

__all__ = [
    "AUTOML_KEYS",
    "COMMAND_COMPONENT_KEYS",
    "COMMAND_NODE_KEYS",
    "DATA_INPUT_KEYS",
    "MODE_NOTICE",
    "NESTED_SETTINGS",
    "NODE_OUTPUT_KEYS",
    "NO_EFFECT",
    "PIPELINE_COMPONENT_KEYS",
    "PIPELINE_KEYS",
    "PIPELINE_NODE_KEYS",
    "PORT_KEYS",
    "SETTINGS_KEYS",
    "SWEEP_KEYS",
    "note_unused",
]

MODE_NOTICE = "'mode' has no effect: files are read and written where they are, on this machine."

NESTED_SETTINGS = "'settings' of a pipeline within the pipeline have no effect: those of the whole pipeline hold."

NO_EFFECT = {
    "compute": "every step runs on this machine",
    "environment": "steps run with the packages of this installation",
    "environment_id": "steps run with the packages of this installation",
    "resources": "steps share the cores and the memory of this machine",
    "distribution": "a step runs as one process",
    "services": "no services are started beside a step",
    "identity": "steps run as the user of this installation",
    "queue_settings": "runs wait in one queue",
    "properties": "no service reads them",
    "auto_delete_setting": "outputs are kept until their run is deleted",
    "log_verbosity": "the log has every line",
}
"""Keys that are accepted, with the reason why they have no effect here."""

_DESCRIPTIVE = {
    "$schema",
    "name",
    "display_name",
    "description",
    "tags",
    "version",
    "comment",
    "id",
    "creation_context",
}
_NODE = _DESCRIPTIVE | {"type", "inputs", "outputs", "experiment_name", "properties", "compute", "identity", "services"}
_COMMAND = {"command", "code", "environment", "environment_variables", "resources", "distribution", "queue_settings"}

PIPELINE_KEYS = _NODE | {"settings", "jobs", "component"}
SETTINGS_KEYS = ("default_datastore", "default_compute", "continue_on_step_failure", "force_rerun")
COMMAND_NODE_KEYS = _NODE | _COMMAND | {"component", "limits"}
PIPELINE_NODE_KEYS = _NODE | {"component", "settings"}
SWEEP_KEYS = _NODE | {
    "trial",
    "search_space",
    "objective",
    "sampling_algorithm",
    "limits",
    "early_termination",
    "queue_settings",
    "resources",
}
AUTOML_SETTINGS = {
    "task",
    "primary_metric",
    "target_column_name",
    "limits",
    "featurization",
    "training",
    "n_cross_validations",
    "validation_data_size",
    "test_data_size",
    "cv_split_column_names",
    "weight_column_name",
    "positive_label",
}
AUTOML_KEYS = (
    (_NODE - {"inputs"})
    | AUTOML_SETTINGS
    | {"training_data", "validation_data", "test_data", "log_verbosity", "environment_id", "environment_variables"}
    | {"resources", "queue_settings"}
)
_COMPONENT = _DESCRIPTIVE | {"type", "inputs", "outputs", "is_deterministic", "auto_delete_setting", "latest_version"}
COMMAND_COMPONENT_KEYS = _COMPONENT | _COMMAND | {"properties", "additional_includes", "limits"}
PIPELINE_COMPONENT_KEYS = _COMPONENT | {"jobs", "settings"}
PORT_KEYS = ("type", "description", "optional", "default", "min", "max", "enum", "mode")
DATA_INPUT_KEYS = ("type", "path", "mode", "datastore", "path_on_compute")
NODE_OUTPUT_KEYS = ("type", "path", "mode", "name", "version")


def note_unused(section: Section, origin: Origin, reading: Reading) -> None:
    """Put the keys of a section that have no effect into the notices."""
    for key, reason in NO_EFFECT.items():
        if key in section:
            reading.note(key, section.at(key), f"'{key}' has no effect: {reason}.", origin)
