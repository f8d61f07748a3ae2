"""Which of the policies that are stored with a run decides."""

from __future__ import annotations

from core import policies
from core.access import Access
from core.catalog import Run
from core.fairness import ThresholdPolicy
from core.rule_choices import chosen_name

__all__ = ["choose_policy"]


def choose_policy(run: Run, name: str | None, *, access: Access) -> tuple[str, ThresholdPolicy] | None:
    """Return the policy that decides: the one of this name, by default the one in force.

    Parameters
    ----------
    run : Run
        The run that made the model.
    name : str or None
        Name of the policy's file, or `NO_POLICY`.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When no policy has this name, or none is named and it is not clear which one is in force.
    """
    kept = policies.kept(run, access=access)
    chosen = chosen_name(list(kept), name, policies.choices(run, access=access))
    return None if chosen is None else (chosen, kept[chosen])
