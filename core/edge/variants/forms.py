"""The forms that a model can have: full precision, the quantization modes, and these with a smaller vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.edge.variants.modes import FULL_PRECISION, QUANTIZATION_MODES
from core.registry import Registry

__all__ = ["PRUNED", "VARIANT_FORMS", "VariantForm", "form_name"]

PRUNED = "pruned"
"""Name of the variant in full precision with a pruned vocabulary."""
_PRUNED_HELP = (
    "For text models: the vocabulary has only the tokens of the training texts, and single characters to spell all "
    "other words with."
)


@dataclass(frozen=True)
class VariantForm:
    """One form of a model.

    Parameters
    ----------
    name : str
        Name of the form, and of the variant that has it; it is stored and never changes.
    title : str
        Its name on pages.
    help : str
        The facts about it before anything is measured.
    mode : str, optional
        Name of the quantization mode; None for full precision.
    prunes_vocabulary : bool, default=False
        Whether the vocabulary of a text model is reduced first.
    """

    name: str
    title: str
    help: str
    mode: str | None = None
    prunes_vocabulary: bool = False


def form_name(mode: str | None, *, pruned: bool) -> str:
    """Return the name of a form.

    Parameters
    ----------
    mode : str or None
        Name of the quantization mode; None for full precision.
    pruned : bool
        Whether the vocabulary is reduced.

    Examples
    --------
    >>> form_name("int4", pruned=True), form_name(None, pruned=True), form_name(None, pruned=False)
    ('pruned-int4', 'pruned', 'fp32')
    """
    if not pruned:
        return FULL_PRECISION if mode is None else mode
    return PRUNED if mode is None else f"{PRUNED}-{mode}"


class _FormRegistry(Registry[VariantForm]):
    """Full precision, a form per quantization mode, and what prunes the vocabulary: those of extensions as well."""

    def __getitem__(self, name: str) -> VariantForm:
        mode = QUANTIZATION_MODES.get(name)
        if mode is not None:
            return VariantForm(name, mode.title, mode.help, name)
        own = QUANTIZATION_MODES.get(name.removeprefix(f"{PRUNED}-"))
        if own is not None and own.with_pruned_vocabulary:
            title = f"{own.title}, pruned vocabulary"
            return VariantForm(name, title, f"{own.help} {_PRUNED_HELP}", own.name, prunes_vocabulary=True)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        modes = list(QUANTIZATION_MODES.values())
        pruned = [form_name(mode.name, pruned=True) for mode in modes if mode.with_pruned_vocabulary]
        yield from dict.fromkeys([FULL_PRECISION, *QUANTIZATION_MODES, PRUNED, *pruned, *super().__iter__()])

    def __len__(self) -> int:
        return len(list(iter(self)))


VARIANT_FORMS = _FormRegistry(
    "variant",
    [
        VariantForm(FULL_PRECISION, "fp32", "The model as it was exported, in 32-bit floats."),
        VariantForm(PRUNED, "Pruned vocabulary", _PRUNED_HELP, prunes_vocabulary=True),
    ],
)
"""All forms by name, full precision first."""
