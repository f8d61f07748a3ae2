"""What a study promises about the rows of its sites, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.aggregation import AGGREGATIONS
from core.federated.algorithms.averaging import local_training
from core.federated.algorithms.registry import ALGORITHMS
from core.jsonable import JsonObject

__all__ = ["Privacy", "describe_privacy", "noise_for", "spent_epsilon"]

_FEW_SITES = 100
"""Sites below which the privacy of a whole site is not claimed."""


@dataclass(frozen=True)
class Privacy:
    """What a study promises.

    Parameters
    ----------
    secure_sums : bool
        Whether the coordinator saw sums over sites only.
    epsilon : dict of str to float
        Spent privacy budget by site, per row; infinite without noise, and empty where no noise was asked for.
    delta : float
        Probability with which the guarantee may fail.
    sentences : list of str
        Promises, and what is not promised.
    """

    secure_sums: bool
    epsilon: dict[str, float]
    delta: float
    sentences: list[str]

    def to_dict(self) -> JsonObject:
        """Return the record as JSON-serializable values; an infinite epsilon is None."""
        return {
            "secure_sums": self.secure_sums,
            "epsilon": {site: value if math.isfinite(value) else None for site, value in self.epsilon.items()},
            "delta": self.delta,
            "sentences": self.sentences,
        }

    @classmethod
    def from_dict(cls, record: JsonObject) -> Privacy:
        """Return the record of what `to_dict` returned."""
        epsilon = {site: math.inf if value is None else float(value) for site, value in record["epsilon"].items()}
        return cls(record["secure_sums"], epsilon, record["delta"], list(record["sentences"]))


def spent_epsilon(sampling_rate: float, noise_multiplier: float, steps: int, delta: float) -> float:
    """Return the epsilon of steps on samples of rows, by the accountant of Rényi differential privacy of dp-accounting.

    Parameters
    ----------
    sampling_rate : float
        Chance of a row to be in a step's sample.
    noise_multiplier : float
        Standard deviation of the noise in units of the largest norm of a row's gradient.
    steps : int
        Number of steps.
    delta : float
        Probability with which the guarantee may fail.

    Returns
    -------
    float
        Infinite without noise.

    Examples
    --------
    >>> spent_epsilon(0.01, 1.0, 1000, 1e-5) < 3, spent_epsilon(0.01, 0.0, 1000, 1e-5)
    (True, inf)
    """
    if noise_multiplier <= 0:
        return math.inf
    if not steps:
        return 0.0
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
    from dp_accounting.rdp import RdpAccountant

    event = PoissonSampledDpEvent(sampling_rate, GaussianDpEvent(noise_multiplier))
    return float(RdpAccountant().compose(event, steps).get_epsilon(delta))


def noise_for(epsilon: float, sampling_rate: float, steps: int, delta: float) -> float:
    """Return the smallest noise multiplier that spends no more than an epsilon, up to a thousandth.

    Parameters
    ----------
    epsilon : float
        Privacy budget per row.
    sampling_rate, steps, delta
        Parameters of `spent_epsilon`.

    Raises
    ------
    SettingsError
        When no noise up to 1,000 is enough.

    Examples
    --------
    >>> noise = noise_for(1.0, 0.05, 200, 1e-5)
    >>> spent_epsilon(0.05, noise, 200, 1e-5) <= 1.0 < spent_epsilon(0.05, noise - 0.002, 200, 1e-5)
    True
    """
    low, high = 0.0, 1.0
    while spent_epsilon(sampling_rate, high, steps, delta) > epsilon:
        low, high = high, 2 * high
        if high > 1_000:
            raise SettingsError(f"No noise is enough for an epsilon of {epsilon:g}.", "Allow a larger epsilon.")
    while high - low > 1e-3:
        middle = (low + high) / 2
        if spent_epsilon(sampling_rate, middle, steps, delta) > epsilon:
            low = middle
        else:
            high = middle
    return high


def describe_privacy(settings: FederatedSettings, rows: Mapping[str, int], rounds: int) -> Privacy:
    """Return what a study promises.

    Parameters
    ----------
    settings : FederatedSettings
        Settings of the study.
    rows : mapping of str to int
        Number of training rows by site; 0 where it is not known.
    rounds : int
        Number of rounds that were made.
    """
    epsilon: dict[str, float] = {}
    sentences = [
        f"No row left a site, and no count of fewer than {MIN_COUNT} rows. Labels, categories and ranges with at least "
        f"{MIN_COUNT} rows did.",
    ]
    if settings.masked:
        sentences.append(
            "Sums are masked: the coordinator saw the sum over all sites, not the values of one. This protects from a "
            "coordinator that keeps to the protocol, and not from one that works together with all but one site."
        )
        if not ALGORITHMS[settings.algorithm].averages:
            sentences.append(
                "A sum over all sites can rest on few rows, such as those of a rare category in one leaf of a tree."
            )
    else:
        reason = (
            "because the secure sums were switched off"
            if AGGREGATIONS[settings.aggregation].summed
            else f"which the {AGGREGATIONS[settings.aggregation].title.lower()} needs"
        )
        sentences.append(f"The coordinator saw the update of each site, {reason}.")
    if settings.noise_multiplier is None:
        sentences.append("No noise was added, so there is no guarantee about what the model itself shows of a row.")
    else:
        training = local_training(settings)
        for site, count in rows.items():
            if not count:  # it trained, and nobody knows on how many rows
                epsilon[site] = math.inf
                continue
            rate, steps = training.sampling(count)
            epsilon[site] = spent_epsilon(rate, settings.noise_multiplier, steps * rounds, settings.delta)
        largest = max(epsilon.values(), default=math.inf)
        if not settings.noise_multiplier:
            sentences.append("The noise is 0: no guarantee.")
        elif math.isinf(largest):
            unknown = ", ".join(site for site, value in epsilon.items() if math.isinf(value))
            sentences.append(f"No guarantee can be given for {unknown}: the number of its rows is not known.")
        else:
            sentences.append(
                f"Differential privacy of a row: epsilon is at most {largest:.3g} (delta {settings.delta:g}) for the "
                "training. What the model shows with and without any one row differs by a factor of at most e^epsilon."
            )
        sentences.append(
            "It covers the training, not the statistics that features are made of, the numbers of rows, nor the "
            "metrics of test rows. A person with several rows is protected less."
        )
        if len(rows) < _FEW_SITES:
            sentences.append(
                f"With {len(rows)} sites no claim is made about hiding a whole site: that would need far more of them."
            )
    return Privacy(settings.masked, epsilon, settings.delta, sentences)
