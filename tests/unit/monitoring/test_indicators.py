"""The four indicators: who counts as yes, who as no, and who is missing; and what holds of every result."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.indicators.definitions import BY_CODE, INDICATORS, REJECTION_REASONS
from services.monitoring.indicators.domain import Count, Journey, compute
from tests.unit.monitoring.journeys import after, anything, journey

ONE, TWO, THREE, FOUR = (indicator.code for indicator in INDICATORS)


def counts(code: str, journeys: Sequence[Journey]) -> dict[str, Count]:
    return {count.code: count for count in compute(BY_CODE[code].measures, journeys, (), 5).total}


def numbers(count: Count) -> tuple[int | None, int, float | None]:
    return count.numerator, count.denominator, count.value


def test_every_indicator_says_that_its_definition_is_the_projects_own() -> None:
    assert {indicator.source for indicator in INDICATORS} == {"project definition"}
    assert [indicator.code.split("-")[0] for indicator in INDICATORS] == ["1", "2", "3", "4"]
    assert all(
        text for each in INDICATORS for text in (each.definition, each.numerator, each.denominator, each.missing_data)
    )


def test_a_referral_that_waits_is_missing_and_not_a_no() -> None:
    measured = counts(ONE, [journey(acknowledged_at=after(1), accepted_at=after(4), status="accepted"), journey()])
    for rate, waiting in (
        ("acknowledgement_rate", "waiting_for_acknowledgement"),
        ("acceptance_rate", "waiting_for_decision"),
    ):
        assert numbers(measured[rate]) == (1, 1, 1.0)
        assert measured[rate].missing == {waiting: 1}
        assert (measured[rate].at_least, measured[rate].at_most) == (0.5, 1.0)


@pytest.mark.parametrize("status", ["rejected", "expired", "failed", "completed"])
def test_a_referral_that_ended_without_acceptance_is_a_no(status: str) -> None:
    assert numbers(counts(ONE, [journey(status=status)])["acceptance_rate"]) == (0, 1, 0.0)


def test_a_referral_withdrawn_before_an_answer_is_excluded_and_counted() -> None:
    measured = counts(ONE, [journey(status="cancelled")])
    assert measured["acknowledgement_rate"].excluded == {"withdrawn_before_acknowledgement": 1}
    assert measured["acceptance_rate"].excluded == {"withdrawn_before_decision": 1}
    assert measured["acceptance_rate"].value is None, "nothing is known, which is not a rate of 0"


def test_a_referral_withdrawn_after_acceptance_was_accepted() -> None:
    assert numbers(counts(ONE, [journey(status="cancelled", accepted_at=after(2))])["acceptance_rate"]) == (1, 1, 1.0)


def test_medians_are_over_the_referrals_in_which_the_time_has_passed() -> None:
    measured = counts(ONE, [journey(acknowledged_at=after(hours)) for hours in (1, 2, 30)] + [journey()])
    median = measured["median_hours_to_acknowledgement"]
    assert (median.numerator, median.denominator, median.value) == (None, 3, 2.0)
    assert median.missing == {"not_acknowledged": 1}
    assert measured["median_hours_to_acceptance"].value is None


def test_indicator_one_is_by_priority_unless_asked_otherwise() -> None:
    assert BY_CODE[ONE].default_by == ("priority",)


def test_delivery_is_not_only_the_providers_word() -> None:
    delivered = [
        journey(status="completed", receipt=receipt) for receipt in ("confirmed", "disputed", "not_reached", None)
    ]
    measured = counts(TWO, [*delivered, journey(status="rejected"), journey()])
    assert numbers(measured["confirmed_of_ended"]) == (1, 3, 1 / 3)
    assert measured["confirmed_of_ended"].missing == {
        "not_ended": 1,
        "returnee_not_asked": 1,
        "returnee_not_reached": 1,
    }
    assert numbers(measured["confirmed_of_delivered"]) == (1, 2, 0.5)
    assert measured["confirmed_of_delivered"].excluded == {"not_delivered": 1}


def test_how_accepted_referrals_ended() -> None:
    ended = [
        ("completed", None), ("completed", None), ("failed", "no_show"), ("failed", "dropped_out"),
        ("failed", "funding_ended"), ("cancelled", "returnee_declined"), ("failed", None), ("in_progress", None),
    ]  # fmt: skip
    journeys = [journey(status=status, end_reason=reason, accepted_at=after(1)) for status, reason in ended]
    measured = counts(THREE, [*journeys, journey(status="rejected", end_reason="no_capacity"), journey()])
    assert {code: count.numerator for code, count in measured.items()} == {
        "completion_rate": 2, "drop_out_rate": 1, "no_show_rate": 1, "ended_otherwise_rate": 2,
    }  # fmt: skip
    for count in measured.values():
        assert count.denominator == 6
        assert count.missing == {"not_ended": 2, "reason_not_stated": 1}
        assert count.excluded == {"never_accepted": 1}


def test_each_receiver_that_declines_counts() -> None:
    declined = journey(status="accepted", accepted_at=after(9), declines=["no_capacity", "no_funds"])
    measured = counts(FOUR, [declined, journey(declines=["no_capacity", None, "a_code_of_tomorrow"]), journey()])
    assert numbers(measured["no_capacity"]) == (2, 3, 2 / 3)
    assert numbers(measured["no_funds"]) == (1, 3, 1 / 3)
    assert measured["other"].missing == {"reason_not_listed": 1, "reason_not_stated": 1}
    assert set(measured) == set(REJECTION_REASONS)


@pytest.mark.parametrize("code", list(BY_CODE))
def test_what_was_entered_in_error_is_in_no_measure_and_is_counted(code: str) -> None:
    wrong = journey(
        status="entered_in_error",
        acknowledged_at=after(1),
        accepted_at=after(1),
        receipt="confirmed",
        declines=["other"],
    )
    result = compute(BY_CODE[code].measures, [wrong], (), 5)
    assert (result.referrals, result.entered_in_error) == (0, 1)
    assert all(count.denominator == 0 and not count.missing and not count.excluded for count in result.total)


def test_without_any_referral_nothing_is_known() -> None:
    for indicator in INDICATORS:
        result = compute(indicator.measures, [], ("sex",), 5)
        assert all(count.value is None and count.at_least is None for count in result.total)
        assert not result.cells
        assert not result.withheld


@given(journeys=anything)
def test_every_share_lies_between_its_bounds_and_they_between_nought_and_one(journeys: list[Journey]) -> None:
    for indicator in INDICATORS:
        for measure, count in zip(indicator.measures, compute(indicator.measures, journeys, (), 5).total, strict=True):
            if measure.unit == "share" and count.value is not None:
                assert count.at_least is not None
                assert count.at_most is not None
                assert 0 <= count.at_least <= count.value <= count.at_most <= 1


@given(journeys=anything)
def test_ways_to_end_and_reasons_to_decline_add_up_to_all(journeys: list[Journey]) -> None:
    for code in (THREE, FOUR):
        total = compute(BY_CODE[code].measures, journeys, (), 5).total
        assert len({count.denominator for count in total}) == 1
        assert sum(count.numerator or 0 for count in total) == total[0].denominator


def _sum(parts: Iterable[Count], name: str) -> dict[str, int]:
    added: dict[str, int] = {}
    for part in parts:
        for why, number in getattr(part, name).items():
            added[why] = added.get(why, 0) + number
    return added


@given(journeys=anything, by=st.sampled_from([("sex",), ("priority", "area"), ("sex", "area", "priority")]))
def test_cells_add_up_to_the_total_before_anything_is_suppressed(journeys: list[Journey], by: tuple[str, ...]) -> None:
    for indicator in INDICATORS:
        result = compute(indicator.measures, journeys, by, threshold=0)
        for measure, total in zip(indicator.measures, result.total, strict=True):
            parts = [count for cell in result.cells for count in cell.counts if count.code == measure.code]
            assert sum(part.denominator for part in parts) == total.denominator
            assert sum(part.numerator or 0 for part in parts) == (total.numerator or 0)
            assert _sum(parts, "missing") == dict(total.missing)
            assert _sum(parts, "excluded") == dict(total.excluded)


@given(journeys=anything, threshold=st.integers(1, 12))
def test_no_shown_cell_has_a_denominator_below_the_threshold(journeys: list[Journey], threshold: int) -> None:
    for indicator in INDICATORS:
        result = compute(indicator.measures, journeys, ("sex", "area"), threshold)
        for cell in result.cells:
            assert all(count.denominator >= threshold for count in cell.counts)
            assert {count.code for count in cell.counts} | cell.suppressed == {m.code for m in indicator.measures}
            assert not {count.code for count in cell.counts} & cell.suppressed


@given(journeys=anything, threshold=st.integers(1, 12))
def test_no_total_gives_a_suppressed_cell_away(journeys: list[Journey], threshold: int) -> None:
    for indicator in INDICATORS:
        result = compute(indicator.measures, journeys, ("area",), threshold)
        for measure in indicator.measures:
            hidden = [cell for cell in result.cells if measure.code in cell.suppressed]
            if measure.additive and len(result.cells) > len(hidden):
                assert len(hidden) != 1


@given(journeys=anything, threshold=st.integers(1, 12))
def test_over_referrals_of_others_no_total_has_only_a_few_behind_it(journeys: list[Journey], threshold: int) -> None:
    for indicator in INDICATORS:
        own = compute(indicator.measures, journeys, ("sex",), threshold)
        result = compute(indicator.measures, journeys, ("sex",), threshold, own=False)
        assert not [count for count in result.total if 0 < count.denominator < threshold]
        assert not result.total or result.referrals == 0 or result.referrals >= threshold
        assert [count for count in own.total if count in result.total] == list(result.total)
        shown = {count.code for count in result.total}
        assert all(count.code in shown for cell in result.cells for count in cell.counts)


def test_so_few_referrals_that_the_names_of_the_cells_would_tell_are_not_broken_down() -> None:
    result = compute(BY_CODE[TWO].measures, [journey(sex="female")] * 4, ("sex",), 5)
    assert result.withheld
    assert not result.cells
    assert result.referrals == 4
