"""The history of a model in words, the same on its card and on its page."""

from __future__ import annotations

from core.catalog import ModelEvent

__all__ = ["describe_event"]

_SENTENCES = {
    "register": "Version {number} was registered",
    "promote": "Version {number} became champion",
    "roll_back": "Rolled back to version {number}",
    "archive": "Version {number} was archived",
    "restore": "Version {previous} was restored",
    "rule": "The decision rule of version {number} was chosen",
    "notes": "The notes of version {number} were changed",
}


def describe_event(event: ModelEvent) -> str:
    """Return what happened in one event of a model's history.

    Parameters
    ----------
    event : ModelEvent
        An event that `history` returned.

    Examples
    --------
    >>> event = ModelEvent(workspace="local", model_id="0" * 16, action="alias", alias="night", number=2)
    >>> describe_event(event)
    "Alias 'night' points to version 2"
    """
    if event.number is None and event.action in ("alias", "promote"):
        return f"Alias '{event.alias}' was removed"
    if event.action == "alias":
        return f"Alias '{event.alias}' points to version {event.number}"
    return _SENTENCES.get(event.action, event.action).format(number=event.number, previous=event.previous)
