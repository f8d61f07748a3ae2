"""The device that a training uses, and the precisions that it has."""

from __future__ import annotations

from core.errors import SettingsError

__all__ = ["device_of", "precision_of"]


def device_of() -> tuple[str, str]:
    """Return the device that is used: its name for torch, and its title."""
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple GPU (MPS)"
    return "cpu", "CPU"


def precision_of(precision: str, device: str) -> str:
    """Return float32, bf16 or fp16.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16", "fp16"}
        The setting.
    device : str
        Name of the device for torch.

    Raises
    ------
    SettingsError
        When the device does not have this precision.
    """
    import torch

    bf16 = device == "cuda" and torch.cuda.is_bf16_supported()
    if precision == "auto":
        return "bf16" if bf16 else "float32"
    if (precision == "fp16" and device != "cuda") or (precision == "bf16" and device == "mps"):
        raise SettingsError(f"This device ({device}) cannot train in {precision}.", "Set precision to auto.")
    return precision
