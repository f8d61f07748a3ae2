"""How a model is watched: typed settings, stored with the model."""

from __future__ import annotations

from pydantic import Field, field_validator

from core.access import Access
from core.catalog import monitor_plans
from core.checked import CheckedSettings

__all__ = ["MonitorSettings", "change_plan", "plan_of"]


class MonitorSettings(CheckedSettings):
    """How a model is watched.

    Parameters
    ----------
    alpha : float, default=0.05
        Probability of any false alarm in the whole series of batches, and share of false ones among the columns of a
        batch that are said to have drifted.
    relevance : float, default=0.05
        Size of a change, from 0 to 1, from which a significant one counts.
    metric : str, default="auto"
        Metric that is estimated and measured; "auto" is that of the model where it can be estimated without labels.
    bound : float, optional
        Value of the metric that must not be passed; by default the end of the test's interval on the bad side.
    largest_gap : float, optional
        Largest difference of the rates of groups; by default it is not limited.
    row_id : str, optional
        Column of unique ids, by which labels that come later find their rows.
    muted : dict of str to str, default={}
        Columns whose drift is known, and why it does not matter; they are still compared and shown.
    reference : str, optional
        Key of the batch that others of its version are compared with; by default the rows that training kept out.
    keep_days : int or None, default=365
        Days for which sketches, comparisons, ids and labels of a batch are kept; None for as long as its run is. What
        a batch said, its states and performance, stays.

    Examples
    --------
    >>> MonitorSettings(muted={"week": "grows by itself"}).alpha
    0.05
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    relevance: float = Field(default=0.05, gt=0, lt=1)
    metric: str = "auto"
    bound: float | None = None
    largest_gap: float | None = Field(default=None, gt=0, le=1)
    row_id: str | None = None
    muted: dict[str, str] = Field(default_factory=dict)
    reference: str | None = None
    keep_days: int | None = Field(default=monitor_plans.KEPT_DAYS, ge=1, le=36_500)

    @field_validator("muted")
    @classmethod
    def _with_reasons(cls, muted: dict[str, str]) -> dict[str, str]:
        for name, why in muted.items():
            if not why.strip():
                raise ValueError(f"say why the drift of '{name}' does not matter")
        return muted


def plan_of(model_id: str, *, access: Access) -> MonitorSettings | None:
    """Return how a model is watched; None where it is not.

    Parameters
    ----------
    model_id : str
        The model.
    access : Access
        The workspace, and who acts in it.
    """
    plan = monitor_plans.get(model_id, access=access)
    return None if plan is None else MonitorSettings.model_validate(plan.settings)


def change_plan(model_id: str, settings: MonitorSettings, *, why: str = "", access: Access) -> MonitorSettings:
    """Watch a model by these settings from now on; what batches said before stays.

    Parameters
    ----------
    model_id : str
        The model.
    settings : MonitorSettings
        The settings.
    why : str, default=""
        Reason, which is kept in the audit log.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the workspace does not have this model.
    """
    monitor_plans.keep(model_id, settings.model_dump(mode="json"), why=why, access=access)
    return settings
