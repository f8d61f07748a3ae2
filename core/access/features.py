"""Features that not every profile has, because they reach beyond a visitor's own workspace."""

from __future__ import annotations

from dataclasses import dataclass

from core.registry import Registry

__all__ = ["FEATURES", "Feature"]


@dataclass(frozen=True)
class Feature:
    """One feature that a profile may lack.

    Parameters
    ----------
    name : str
        Key in the table of profiles.
    title : str
        Title in tables and messages.
    reason : str
        Sentence that says why an installation for strangers does not have it.
    """

    name: str
    title: str
    reason: str


FEATURES: Registry[Feature] = Registry(
    "feature",
    [
        Feature("server_facts", "Paths of the server, logs of runs", "They are for those who run the server."),
        Feature("hub_models", "Base models by their name on the hub", "The server would download what strangers name."),
        Feature("model_folders", "Base models from folders", "Folders of the server are not for strangers."),
        Feature(
            "mlflow_push", "Pushing to an MLflow server", "The server would send to addresses that strangers name."
        ),
        Feature("tensorboard", "TensorBoard logs", "They are written into a folder of the server."),
        Feature("onnx_uploads", "ONNX uploads", "Files from outside are not loaded by native code here."),
        Feature("load_generator", "The MLPerf load generator", "It takes all processors of the server."),
        Feature("pipeline_commands", "Commands of one's own in pipelines", "Commands of strangers do not run here."),
        Feature("schedules", "Schedules", "They start runs while nobody is there."),
        Feature("network_studies", "Federated studies between machines", "The server would listen for strangers."),
        Feature("alert_channels", "Alert channels", "The server would send to addresses that strangers name."),
    ],
)
"""The features, in the order of the tables that show them."""
