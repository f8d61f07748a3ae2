"""What is promised: epsilon as of dp-accounting, words that claim no more, and payloads without rows."""

from __future__ import annotations

import math

import dp_accounting
import numpy as np
import pandas as pd
import pytest
from dp_accounting.rdp import RdpAccountant

from core.errors import SettingsError
from core.federated import ALGORITHMS, MESSAGES, FederatedSettings, federate, noise_for, spent_epsilon
from core.federated.privacy import describe_privacy
from tests.unit.federated.parts import RecordingSites, cancer_sites, channel_of, train_on
from tests.unit.federated.test_federated_simulation import sites_table


@pytest.mark.parametrize(("rate", "noise", "steps"), [(0.01, 1.0, 1_000), (0.2, 2.5, 150), (1.0, 8.0, 30)])
def test_epsilon_is_that_of_dp_accounting(rate: float, noise: float, steps: int) -> None:
    event = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise))
    expected = RdpAccountant().compose(dp_accounting.SelfComposedDpEvent(event, steps)).get_epsilon(1e-5)
    assert spent_epsilon(rate, noise, steps, 1e-5) == pytest.approx(expected, abs=1e-6)


def test_without_noise_there_is_no_guarantee() -> None:
    assert math.isinf(spent_epsilon(0.1, 0.0, 10, 1e-5))
    settings = FederatedSettings(target="y", algorithm="fedavg", noise_multiplier=0.0)
    privacy = describe_privacy(settings, {"a": 100, "b": 200}, 10)
    assert "The noise is 0: no guarantee." in privacy.sentences
    assert privacy.to_dict()["epsilon"] == {"a": None, "b": None}
    none = describe_privacy(FederatedSettings(target="y"), {"a": 100, "b": 200}, 10)
    assert any("there is no guarantee" in sentence for sentence in none.sentences)
    assert none.epsilon == {}


def test_few_sites_make_no_claim_about_a_whole_site() -> None:
    settings = FederatedSettings(target="y", algorithm="fedavg", noise_multiplier=2.0)
    rows = {f"site {index}": 400 for index in range(4)}
    text = " ".join(describe_privacy(settings, rows, 5).sentences)
    assert "With 4 sites no claim is made about hiding a whole site" in text
    assert "Differential privacy of a row" in text


def test_noise_that_is_asked_for_is_enough_and_no_more() -> None:
    noise = noise_for(2.0, 0.1, 300, 1e-5)
    assert spent_epsilon(0.1, noise, 300, 1e-5) <= 2.0 < spent_epsilon(0.1, noise - 0.005, 300, 1e-5)
    with pytest.raises(SettingsError, match="No noise is enough"):
        noise_for(1e-9, 1.0, 10_000, 1e-12)


def test_a_site_spends_by_its_own_rows() -> None:
    settings = FederatedSettings(target="y", algorithm="fedavg", noise_multiplier=1.5, batch_size=20, local_epochs=2)
    privacy = describe_privacy(settings, {"small": 40, "large": 400}, 10)
    assert privacy.epsilon["small"] == pytest.approx(spent_epsilon(0.5, 1.5, 40, 1e-5))
    assert privacy.epsilon["large"] == pytest.approx(spent_epsilon(0.05, 1.5, 400, 1e-5))
    assert privacy.epsilon["small"] > privacy.epsilon["large"]


def _recorded(algorithm: str, table: pd.DataFrame, **settings: object) -> RecordingSites:
    frames = {str(name): part.drop(columns="hospital") for name, part in table.groupby("hospital")}
    channel = channel_of({name: frame.reset_index(drop=True) for name, frame in frames.items()})
    train_on(channel, FederatedSettings(target="ill", algorithm=algorithm, rounds=3, **settings))
    return channel


def marked_table() -> pd.DataFrame:
    """Return rows with secrets: rare categories and labels, an extreme number, a free text, dates."""
    table = sites_table(900)
    table["job"] = table["job"].astype(object)
    table.loc[[3, 50, 99], "job"] = "astronaut"
    table.loc[7, "income"] = 987_654_321.125
    table["seen"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(900) % 365, unit="D")
    table["note"] = [f"patient {index} of ward {index % 7} said many things" for index in range(900)]
    return table


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_no_row_and_no_statistic_of_few_rows_is_in_any_message(algorithm: str) -> None:
    table = marked_table()
    channel = _recorded(algorithm, table)
    assert channel.said
    values = {float(value) for value in table["income"].dropna()}
    for request, _, reply in channel.said:
        kind = MESSAGES[request.kind]
        text = str(reply.content)
        assert "astronaut" not in text
        assert "ward" not in text
        if kind.summed:  # masked: all bits are as likely as not, and nothing else is said but a mean over all rows
            assert set(reply.arrays) == {"high", "low"}
            assert set(reply.content) == {"shapes"}
            continue
        for array in reply.arrays.values():
            assert request.kind == "histograms", request.kind
            assert not values & {float(value) for value in array.ravel()}
    counts = [reply.content["categories"] for request, _, reply in channel.said if request.kind == "categories"]
    assert counts
    assert all(count >= 10 for by_column in counts for column in by_column.values() for count in column.values())
    edges = [
        array for request, _, _ in channel.said if request.kind == "histograms" for array in request.arrays.values()
    ]
    assert not values & {float(value) for array in edges for value in array}


def test_no_two_answers_together_show_fewer_than_ten_rows() -> None:
    channel = _recorded("linear", marked_table())
    cuts: dict[tuple[str, str], dict[float, int]] = {}
    for request, site, reply in channel.said:
        if request.kind == "histograms":
            for index, name in enumerate(request.content["columns"]):
                known = cuts.setdefault((site, name), {})
                edges = request.arrays[f"edges {index}"]
                answers = zip(reply.arrays[f"cuts {index}"], reply.arrays[f"below {index}"], strict=True)
                known |= {float(edges[position]): int(rows) for position, rows in answers}
    assert cuts
    refined = 0
    for (name, _), known in cuts.items():
        below = [known[edge] for edge in sorted(known)]
        assert below == sorted(below)
        gaps = np.diff([0, *below])
        assert not ((gaps > 0) & (gaps < 10)).any(), name
        refined += len(below) > 8
    assert refined


def test_totals_hide_what_is_rare() -> None:
    table = sites_table(900)
    table["job"] = table["job"].astype(object)
    north = table.index[table["hospital"] == "north"]
    table.loc[north[:3], "job"] = "astronaut"
    table.loc[north[3:6], "age"] = np.nan
    channel = _recorded("linear", table)
    rows = len(channel.by_name["north"].train)
    for request, site, reply in channel.said:
        if site == "north" and request.kind == "categories":
            assert sum(reply.content["categories"]["job"].values()) == rows
        if site == "north" and request.kind == "histograms" and request.arrays["edges 0"][0] < -1e30:
            assert request.content["columns"][0] == "age"
            assert max(reply.arrays["below 0"]) == rows


def test_masked_values_look_random() -> None:
    channel = _recorded("boosting", sites_table(900))
    words = np.concatenate([reply.arrays["low"] for request, _, reply in channel.said if request.kind == "tree"])
    bits = np.unpackbits(words.view(np.uint8))
    assert bits.mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(len(bits)))


def test_a_rare_label_is_not_named_and_its_rows_are_left_out() -> None:
    table = sites_table(900)
    table.loc[:4, "ill"] = "secret diagnosis"
    channel = _recorded("linear", table)
    assert all("secret" not in str(reply.content) for _, _, reply in channel.said)
    left_out = [reply.content["left_out"] for request, _, reply in channel.said if request.kind == "plan"]
    assert set(left_out) <= {0, -1}


def test_the_log_has_every_message_with_its_bytes() -> None:
    settings = FederatedSettings(target="target", algorithm="linear", folds=0, pooled=False)
    result = federate(cancer_sites(), settings)
    log = result.messages
    assert set(log["site"]) == {"site 0", "site 1", "site 2", "site 3"}
    assert (log["received"] > 0).all()
    assert set(log["kind"]) <= set(MESSAGES)
    assert log.loc[log["kind"] == "slope", "masked"].all()
    assert not log.loc[log["kind"] == "histograms", "masked"].any()
    assert log["number"].is_monotonic_increasing
