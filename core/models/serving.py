"""What a model needs to score rows without this installation: its columns, their format, the steps, a policy."""

from __future__ import annotations

from core.catalog import ModelVersion
from core.jsonable import jsonable
from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._policy_applier import PolicyApplier
from core.models.policy_choice import choose_policy
from core.models.served_model import ServedModelFile
from core.readings import training_reading

__all__ = ["served_file"]


def served_file(evidence: RunEvidence, version: ModelVersion, policy: str | None) -> ServedModelFile:
    """Return what the file of a served model holds.

    Parameters
    ----------
    evidence : RunEvidence
        The run that made the model.
    version : ModelVersion
        The version, or the draft of one.
    policy : str or None
        Name of the file of the policy that decides; by default the one in force, and "none" for none.

    Raises
    ------
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    """
    result, text, replay, run = evidence.result, evidence.reads_text, evidence.replay, evidence.run
    reading = training_reading(run.id, run.dataset_id, access=evidence.access)
    known = {field.name: field for field in map(Field.from_dict, version.columns)}
    fields = [field for field in known.values() if field.role == "feature"]
    chosen = choose_policy(evidence.run, policy, access=evidence.access)
    if chosen is not None:
        fields += [item for item in PolicyApplier(*chosen, evidence.labels).fields(known) if item not in fields]
    read = {field.name for field in fields} | (set() if replay is None else replay.inputs)
    return ServedModelFile(
        kind=evidence.kind.name,
        fields=fields,
        labels=evidence.labels,
        max_length=result.integer_setting("max_length") if text else None,
        batch_size=result.integer_setting("eval_batch_size") if text else None,
        steps={} if replay is None else replay.to_dict(),
        formats=jsonable({name: item for name, item in reading.formats().items() if name in read}),
        policy=None if chosen is None else jsonable(chosen[1].to_dict()),
        policy_name="" if chosen is None else chosen[0],
    )
