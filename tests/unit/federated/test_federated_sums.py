"""Sums over sites: exact, masked, and made without the sites that are lost."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, LimitError
from core.federated import MESSAGES, FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.protocol.fixed_point import Fixed, add, from_fixed, to_fixed
from core.federated.protocol.masks import SiteKeys, mask, unmask
from core.federated.protocol.message import Request, decode, encode, size_in_bytes
from core.federated.site.answering import answer
from tests.unit.federated.parts import cancer_sites, channel_of, train_on

LARGEST = 2.0**52
numbers = st.floats(-LARGEST, LARGEST, allow_subnormal=False)


@given(st.lists(numbers, min_size=1, max_size=8))
def test_a_sum_is_the_exact_one_rounded_once(values: list[float]) -> None:
    total = to_fixed(np.array([0.0]))
    for value in values:
        total = add(total, to_fixed(np.array([value])))
    exact = sum((Fraction(value) for value in values), Fraction())
    assert from_fixed(total)[0] == pytest.approx(float(exact), rel=2**-52, abs=len(values) * 2.0**-63)


@given(st.lists(numbers, min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_sites_does_not_matter(values: list[float], random) -> None:
    def total(items: list[float]) -> float:
        summed = to_fixed(np.array([0.0]))
        for item in items:
            summed = add(summed, to_fixed(np.array([item])))
        return float(from_fixed(summed)[0])

    shuffled = values.copy()
    random.shuffle(shuffled)
    assert total(shuffled) == total(values)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e19])
def test_what_does_not_fit_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="is not finite, or larger"):
        to_fixed(np.array([1.0, value]))


def _sites(count: int) -> list[SiteKeys]:
    return [SiteKeys(bytes([index]) * 32) for index in range(1, count + 1)]


def _masked(sites: list[SiteKeys], values: np.ndarray, number: int) -> list[Fixed]:
    return [
        mask(to_fixed(value), site, number, [other.public for other in sites if other is not site])
        for site, value in zip(sites, values, strict=True)
    ]


def test_one_site_that_drops_out_is_left_out_of_the_sum() -> None:
    random = np.random.default_rng(0)
    sites, values = _sites(3), random.normal(size=(3, 20))
    masked = _masked(sites, values, 7)
    total = add(masked[0], masked[2])
    own = [sites[0].own_seed(7), sites[2].own_seed(7)]
    lost = sites[1].public
    pairs = {(site.public, lost): site.pair_seed(lost, 7) for site in (sites[0], sites[2])}
    np.testing.assert_allclose(from_fixed(unmask(total, own, pairs)), values[0] + values[2], atol=1e-15)


def test_no_single_update_can_be_had_from_what_a_coordinator_sees() -> None:
    # Everything that it sees: the masked values of all three, the own masks of the two that are in the sum, and the
    # masks that they share with the third, whose value came too late.
    values = np.ones((3, 20_000))
    sites = _sites(3)
    masked = _masked(sites, values, 7)
    known = [sites[0].own_seed(7), sites[1].own_seed(7)]
    shared = {(site.public, sites[2].public): site.pair_seed(sites[2].public, 7) for site in sites[:2]}
    late = unmask(masked[2], [], {})
    for seed in shared.values():
        late = add(late, unmask(to_fixed(np.zeros(20_000)), [], {(sites[0].public, sites[2].public): seed}))
    partly = [
        unmask(masked[0], known[:1], {}),  # still masked by what the first two share
        unmask(masked[1], known[1:], {}),
        unmask(masked[0], known[:1], {pair: seed for pair, seed in shared.items() if pair[0] == sites[0].public}),
        late,  # still masked by its own mask
    ]
    for seen in [*masked, *partly]:
        bits = np.unpackbits(seen.low.view(np.uint8))
        assert bits.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(bits)))
        assert len(np.unique(seen.low)) == len(seen.low)


def test_masks_differ_from_sum_to_sum() -> None:
    sites, values = _sites(2), np.zeros((2, 5))
    assert not np.array_equal(_masked(sites, values, 1)[0].low, _masked(sites, values, 2)[0].low)


def _study(**settings: object) -> tuple[FederatedSettings, dict]:
    return FederatedSettings(target="target", algorithm="linear", **settings), cancer_sites((150, 150, 150, 119))


def test_a_site_that_is_lost_in_the_midst_of_a_sum_is_not_in_it() -> None:
    settings, frames = _study()
    whole = channel_of(frames)
    train_on(whole, settings)
    sums = [request.number for request, _, _ in whole.said if request.kind == "moments"]
    channel = channel_of(frames)
    study = Study(channel, masked=True, min_sites=2)
    channel.lost = {sums[0]: {"site 2"}}
    from core.federated.coordinator.features import agree, share_features

    agreement = agree(study, settings)
    share_features(study, agreement.plan)
    total = study.total("moments")
    assert total.sites == ["site 0", "site 1", "site 3"]
    alone = [MESSAGES["moments"].answer(channel.by_name[name], Request(0, "moments")) for name in total.sites]
    np.testing.assert_allclose(total["sums"], sum(reply.arrays["sums"] for reply in alone), rtol=1e-13, atol=1e-13)
    # Lost between its value and its masks: the sum is asked for again, under another number, without it.
    channel.lost = {study.log[-1].number + 2: {"site 0"}}
    again = study.total("moments")
    assert again.sites == ["site 1", "site 2", "site 3"]
    channel.lost = {study.log[-1].number + 1: {"site 0", "site 1", "site 2"}}
    with pytest.raises(LimitError, match="1 of 4 sites answered"):
        study.total("moments")


def test_a_site_gives_its_masks_once_and_for_one_set_of_sites() -> None:
    settings, frames = _study()
    channel = channel_of(frames)
    train_on(channel, settings)
    site = channel.by_name["site 0"]
    number = next(request.number for request, _, _ in channel.said if request.kind == "slope")
    names = list(channel.by_name)

    def unmasked(present: list[str]) -> None:
        answer(site, Request(10_000, "unmask", {"of": number, "asked": names, "present": present}))

    unmasked(names)
    with pytest.raises(InputError, match="for other sites before"):
        unmasked(names[:3])
    with pytest.raises(InputError, match="stay at the site"):
        answer(site, Request(10_001, "unmask", {"of": 9_000, "asked": names, "present": names[1:]}))
    with pytest.raises(InputError, match="stay at the site"):
        answer(site, Request(10_002, "unmask", {"of": 9_000, "asked": names, "present": names[:1]}))


def test_a_site_gives_no_sum_of_its_own_and_no_second_value_under_a_mask() -> None:
    settings, frames = _study()
    channel = channel_of(frames)
    train_on(channel, settings)
    site = channel.by_name["site 0"]
    with pytest.raises(InputError, match="part of a sum alone"):
        answer(site, Request(10_000, "moments"))
    with pytest.raises(InputError, match="has no keys of"):
        answer(site, Request(10_000, "moments", {"participants": ["site 0", "stranger"]}))
    with pytest.raises(InputError, match="has no keys of"):
        answer(site, Request(10_003, "moments", {"participants": ["site 0"]}))
    names = list(channel.by_name)
    site.asked.clear()
    answer(site, Request(10_001, "moments", {"participants": names}))
    with pytest.raises(InputError, match="another sum before"):
        answer(site, Request(10_001, "moments", {"participants": names}, {"center": np.zeros(site.X.shape[1])}))


@given(
    st.dictionaries(st.text(max_size=5), st.one_of(st.integers(-5, 5), st.text(max_size=5), st.booleans()), max_size=3),
    st.lists(st.lists(st.floats(allow_nan=False), max_size=4), max_size=3),
)
def test_a_message_comes_back_from_its_bytes(content: dict, lists: list[list[float]]) -> None:
    arrays = {str(index): np.array(values, dtype=np.float64) for index, values in enumerate(lists)}
    data = encode(content, arrays)
    assert len(data) == size_in_bytes(content, arrays)
    again, back = decode(data)
    assert again == content
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


def test_other_bytes_are_not_a_message() -> None:
    data = encode({"rows": 3}, {"sums": np.arange(4.0)})
    for damaged in (data[:-1], b"x" + data[1:], data + b"0", b"", data[:5], data.replace(b"<f8", b"|O8")):
        with pytest.raises(InputError, match="not a message"):
            decode(damaged)


def test_only_plain_numbers_travel() -> None:
    with pytest.raises(InputError, match="type object"):
        encode({}, {"a": np.array([{}], dtype=object)})


def test_masks_are_for_the_very_sites_that_were_asked_for_a_sum() -> None:
    settings, frames = _study()
    channel = channel_of(frames)
    train_on(channel, settings)
    site, names = channel.by_name["site 0"], list(channel.by_name)
    number = next(request.number for request, _, _ in channel.said if request.kind == "slope")
    for of, asked, present in (
        (number, names, ["site 0", "site 0"]),  # one site twice is one site
        (number, names[:3], names[:3]),  # others than the sum was asked of
        (9_000, names, names),  # a sum that nobody asked for
    ):
        with pytest.raises(InputError, match="stay at the site"):
            answer(site, Request(10_000, "unmask", {"of": of, "asked": asked, "present": present}))
