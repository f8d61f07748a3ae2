"""Which of the policies that are stored with a model is in force: the part that travels with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter, ValidationError

from core.errors import InputError, StorageError

__all__ = ["NO_POLICY", "RULE_FILE", "RuleChoice", "RuleChoices", "chosen_name"]

NO_POLICY = "none"
"""What stands for the model's own labels, where a policy could be named."""

RULE_FILE = "decision-rule.json"
"""Name of the file of the choices, beside the policies."""

_WITHOUT_POLICY = f"choose '{NO_POLICY}' for the model's own labels."


@dataclass(frozen=True)
class RuleChoice:
    """One choice of the rule that decides.

    Parameters
    ----------
    policy : str
        Name of the policy's file, or `NO_POLICY`.
    at : float
        Time of the choice, in seconds since the epoch.
    who : str, default=""
        The person who chose.
    """

    policy: str
    at: float
    who: str = ""


@dataclass(frozen=True)
class RuleChoices:
    """All choices of a model's rule, oldest first. The last one is in force.

    Parameters
    ----------
    choices : tuple of RuleChoice, default=()
        The choices. Models of earlier versions have none.

    Examples
    --------
    >>> choices = RuleChoices((RuleChoice("policy-a.json", 1.0), RuleChoice("policy-b.json", 2.0)))
    >>> choices.in_force(["policy-a.json", "policy-b.json"])
    'policy-b.json'
    >>> RuleChoices().in_force(["policy-a.json"])
    'policy-a.json'
    """

    choices: tuple[RuleChoice, ...] = ()

    def in_force(self, names: Sequence[str]) -> str | None:
        """Return the name of the policy in force; None where the model's own labels decide.

        Where nothing was ever chosen, the only policy there is decides.

        Parameters
        ----------
        names : sequence of str
            Names of the policies that are stored with the model.

        Raises
        ------
        InputError
            When there are several policies and none was ever chosen, or the chosen one is not stored any more.
        """
        if not self.choices:
            if len(names) > 1:
                raise InputError(
                    f"This model has {len(names)} policies, and none of them was chosen.",
                    f"Name one of {', '.join(names)}, or {_WITHOUT_POLICY}",
                )
            return names[0] if names else None
        chosen = self.choices[-1].policy
        if chosen == NO_POLICY:
            return None
        if chosen not in names:
            raise InputError(
                f"The policy '{chosen}' is in force, but its file is not stored with the model.",
                f"Name one of {', '.join(names)}, or {_WITHOUT_POLICY}" if names else _WITHOUT_POLICY.capitalize(),
            )
        return chosen

    def to_json(self) -> bytes:
        """Return the choices as JSON."""
        return _adapter().dump_json(self, indent=2)

    @classmethod
    def from_json(cls, content: bytes | str) -> RuleChoices:
        """Read what `to_json` wrote.

        Raises
        ------
        StorageError
            When the content is something else.
        """
        try:
            return _adapter().validate_json(content)
        except ValidationError as error:
            message = f"'{RULE_FILE}' does not hold the choices of a decision rule."
            raise StorageError(message, "Choose the rule again, under Decide.") from error


@cache
def _adapter() -> TypeAdapter[RuleChoices]:
    return TypeAdapter(RuleChoices)


def chosen_name(names: Sequence[str], name: str | None, choices: RuleChoices) -> str | None:
    """Return the name of the policy that decides: this one, or by default the one in force; None for none.

    Parameters
    ----------
    names : sequence of str
        Names of all policies.
    name : str or None
        The one that was asked for, or `NO_POLICY`.
    choices : RuleChoices
        Choices of the model's rule.

    Raises
    ------
    InputError
        When no policy has this name, or none is named and it is not clear which one is in force.

    Examples
    --------
    >>> chosen_name(["policy-a.json"], None, RuleChoices())
    'policy-a.json'
    >>> chosen_name(["policy-a.json"], "none", RuleChoices()) is None
    True
    """
    if name == NO_POLICY:
        return None
    if name is None:
        return choices.in_force(names)
    if name not in names:
        hint = f"Name one of {', '.join(names)}, or {_WITHOUT_POLICY}" if names else "This model has no policy."
        raise InputError(f"This model has no policy '{name[:80]}'.", hint)
    return name
