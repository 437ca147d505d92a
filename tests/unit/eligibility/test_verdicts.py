"""Verdicts with three values, near misses with their day, and the next best question."""

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.criteria.domain import Criterion, InForce, Outcome
from services.eligibility.known.domain import Service
from services.eligibility.matching.domain import (
    Judgement,
    NearMiss,
    Profile,
    Verdict,
    count,
    evaluate,
    failing_criteria,
    near_miss,
    next_questions,
    verdict_of,
)
from tests.unit.eligibility.people import ARRIVAL, BENIN_CITY, EDO, LAGOS, criterion, in_force, profile, service

ADULT = criterion("age_between", "born_on", minimum=18)
HAS_ID = criterion("is_true", "has_valid_id")
NEWCOMER = criterion("is_true", "assisted_before", kind="exclusion")
SOON_BACK = criterion("months_since", "returned_on", maximum=12)


def judge(asked: Profile, *criteria: Criterion, at: Service | None = None) -> Judgement:
    return evaluate(at or service(), in_force(*criteria), asked)


def miss(asked: Profile, *criteria: Criterion) -> NearMiss | None:
    return near_miss(judge(asked, *criteria), in_force(*criteria), asked)


@given(st.lists(st.sampled_from(list(Outcome))))
def test_a_known_obstacle_counts_more_than_an_open_question(outcomes: list[Outcome]) -> None:
    verdict = verdict_of(outcomes)
    if Outcome.NOT_MET in outcomes:
        assert verdict is Verdict.NOT_ELIGIBLE
    elif Outcome.UNKNOWN in outcomes:
        assert verdict is Verdict.NEEDS_INFORMATION
    else:
        assert verdict is Verdict.ELIGIBLE


def test_all_criteria_have_to_be_met() -> None:
    judgement = judge(profile(born_on="2000-01-01", has_valid_id=True, assisted_before=False), ADULT, HAS_ID, NEWCOMER)
    assert judgement.verdict is Verdict.ELIGIBLE
    assert [reason.outcome for reason in judgement.reasons] == [Outcome.MET] * 4


def test_an_unanswered_criterion_needs_information() -> None:
    judgement = judge(profile(born_on="2000-01-01"), ADULT, HAS_ID)
    assert judgement.verdict is Verdict.NEEDS_INFORMATION


def test_a_returnee_without_date_of_birth_is_not_refused_for_her_age() -> None:
    assert judge(profile(), ADULT).verdict is Verdict.NEEDS_INFORMATION


def test_an_exclusion_that_applies_refuses() -> None:
    judgement = judge(profile(assisted_before=True), NEWCOMER)
    assert judgement.verdict is Verdict.NOT_ELIGIBLE


def test_it_is_judged_for_the_day_asked_about_and_not_for_another() -> None:
    assert judge(profile(date(2026, 8, 31), born_on="2008-09-01"), ADULT).verdict is Verdict.NOT_ELIGIBLE
    assert judge(profile(date(2026, 9, 1), born_on="2008-09-01"), ADULT).verdict is Verdict.ELIGIBLE


def test_a_validated_set_without_criteria_is_open_to_all() -> None:
    assert judge(profile()).verdict is Verdict.ELIGIBLE


def test_a_service_without_validated_set_needs_information_and_says_so() -> None:
    judgement = evaluate(service(), None, profile())
    assert judgement.verdict is Verdict.NEEDS_INFORMATION
    assert [reason.criterion_id for reason in judgement.reasons if reason.outcome is Outcome.UNKNOWN] == ["criteria"]


def test_a_service_elsewhere_is_refused_for_its_area() -> None:
    judgement = judge(profile(area=LAGOS))
    assert judgement.verdict is Verdict.NOT_ELIGIBLE
    assert (judgement.reasons[0].criterion_id, judgement.reasons[0].level) == ("area", "structural")


def test_a_service_covers_what_lies_in_its_area_and_a_remote_one_the_country() -> None:
    assert judge(profile(area=BENIN_CITY)).verdict is Verdict.ELIGIBLE
    assert judge(profile(area=LAGOS), at=service(remote=True)).verdict is Verdict.ELIGIBLE
    assert judge(profile(area=None), at=service(covered_areas=("NG",))).verdict is Verdict.ELIGIBLE


def test_an_area_that_nobody_named_or_named_too_coarsely_is_unknown() -> None:
    assert judge(profile(area=None)).verdict is Verdict.NEEDS_INFORMATION
    assert judge(profile(area="NG")).verdict is Verdict.NEEDS_INFORMATION


def test_a_reason_on_a_fact_that_never_leaves_is_withheld_outside_a_member_state() -> None:
    asylum = criterion("is_true", "sought_asylum")
    inside = judge(profile(sought_asylum=True), asylum)
    outside = judge(profile(stays=False, sought_asylum=True), asylum)
    assert inside.reasons[1].fact == "sought_asylum"
    assert inside.verdict is Verdict.ELIGIBLE
    assert outside.reasons[1].criterion_id == "withheld"
    assert outside.reasons[1].fact is None
    assert "asylum" not in str(outside)
    assert outside.verdict is Verdict.NEEDS_INFORMATION
    assert next_questions([outside]) == []


def test_a_near_miss_says_on_which_day_it_is_none() -> None:
    found = miss(profile(born_on="2008-10-15"), ADULT)
    assert found is not None
    assert found.becomes_true_on == date(2026, 10, 15)
    assert [reason.criterion_id for reason in found.missing] == ["born_on"]
    assert found.missing[0].becomes_true_on == date(2026, 10, 15)
    assert found.verdict_then is Verdict.ELIGIBLE


def test_several_criteria_that_time_brings_are_a_near_miss_on_the_last_of_their_days() -> None:
    later = criterion("months_since", "left_on", minimum=24)
    found = miss(profile(born_on="2008-10-15", left_on="2025-01-31"), ADULT, later)
    assert found is not None
    assert found.becomes_true_on == date(2027, 1, 31)


def test_a_day_on_which_another_criterion_has_ended_is_no_near_miss() -> None:
    found = miss(profile(born_on="2008-10-15", returned_on="2025-09-30"), ADULT, SOON_BACK)
    assert found is not None  # only the age is missing, but waiting for it does not help
    assert found.becomes_true_on is None
    assert found.missing[0].becomes_true_on == date(2026, 10, 15)


def test_a_day_after_a_passing_exclusion_is_found_when_it_lies_behind_another() -> None:
    under_18 = criterion("age_between", "born_on", maximum=17, kind="exclusion", criterion_id="minor")
    teens = criterion("age_between", "born_on", minimum=15, maximum=20, kind="exclusion", criterion_id="teen")
    found = miss(profile(born_on="2010-01-01"), under_18, teens)
    assert found is not None
    assert found.becomes_true_on == date(2031, 1, 1)


def test_a_single_criterion_that_time_does_not_bring_is_a_near_miss_without_a_day() -> None:
    found = miss(profile(has_valid_id=False, born_on="2000-01-01"), HAS_ID, ADULT)
    assert found is not None
    assert found.becomes_true_on is None
    assert found.verdict_then is Verdict.ELIGIBLE


def test_a_near_miss_with_an_open_question_says_so() -> None:
    found = miss(profile(has_valid_id=False), HAS_ID, ADULT)
    assert found is not None
    assert found.verdict_then is Verdict.NEEDS_INFORMATION


def test_two_criteria_of_which_one_never_comes_are_no_near_miss() -> None:
    assert miss(profile(has_valid_id=False, born_on="2008-10-15"), HAS_ID, ADULT) is None


def test_a_service_elsewhere_is_no_near_miss() -> None:
    assert miss(profile(area=LAGOS, born_on="2008-10-15"), ADULT) is None
    assert near_miss(evaluate(service(), None, profile(area=LAGOS)), None, profile(area=LAGOS)) is None


@given(st.dates(date(1990, 1, 1), date(2020, 1, 1)), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_on_the_day_of_a_near_miss_no_criterion_fails_and_on_the_day_before_one_does(
    born_on: date, returned_on: date
) -> None:
    asked = profile(born_on=born_on.isoformat(), returned_on=returned_on.isoformat())
    criteria = (criterion("age_between", "born_on", minimum=18, maximum=30), SOON_BACK)
    if judge(asked, *criteria).verdict is Verdict.ELIGIBLE or (found := miss(asked, *criteria)) is None:
        return
    if found.becomes_true_on is not None:
        assert found.becomes_true_on > ARRIVAL
        on_the_day = profile(found.becomes_true_on, born_on=born_on.isoformat(), returned_on=returned_on.isoformat())
        assert judge(on_the_day, *criteria).verdict is Verdict.ELIGIBLE


def _set(*facts: str) -> InForce:
    return in_force(*(criterion("is_true", fact) for fact in facts))


def test_the_question_that_settles_most_verdicts_comes_first() -> None:
    sets = [_set("has_valid_id"), _set("has_valid_id"), _set("has_income"), _set("has_income", "has_bank_account")]
    questions = next_questions(evaluate(service(n), one, profile()) for n, one in enumerate(sets))
    assert [(question.fact, question.decides, question.bears_on) for question in questions] == [
        ("has_valid_id", 2, 2),
        ("has_income", 1, 2),
        ("has_bank_account", 0, 1),
    ]
    assert questions[0].text["fra"]


def test_two_criteria_on_one_fact_are_settled_by_one_answer() -> None:
    twice = in_force(
        criterion("age_between", "born_on", minimum=18, criterion_id="adult"),
        criterion("age_between", "born_on", maximum=35, criterion_id="young"),
    )
    (question,) = next_questions([evaluate(service(), twice, profile())])
    assert (question.fact, question.decides) == ("born_on", 1)


def test_a_settled_verdict_asks_nothing() -> None:
    both = _set("has_valid_id", "has_income")
    assert next_questions([evaluate(service(), both, profile(has_valid_id=False))]) == []
    assert next_questions([evaluate(service(), in_force(), profile())]) == []


def test_no_answer_settles_what_nobody_validated() -> None:
    assert next_questions([evaluate(service(), None, profile())]) == []
    (question,) = next_questions([evaluate(service(), None, profile(area=None))])
    assert (question.fact, question.decides, question.bears_on) == ("area", 0, 1)


def test_every_service_is_counted_in_one_class() -> None:
    judgements = [
        evaluate(service(1), in_force(), profile()),
        evaluate(service(2), None, profile()),
        evaluate(service(3, covered_areas=(LAGOS,)), in_force(), profile()),
        evaluate(service(4, covered_areas=(EDO, LAGOS)), _set("has_income"), profile(has_income=True)),
    ]
    assert count(judgements) == {
        Verdict.ELIGIBLE: 2,
        Verdict.NEEDS_INFORMATION: 1,
        Verdict.NOT_ELIGIBLE: 1,
    }


def test_failing_criteria_are_told_by_frequency_and_never_those_that_stay() -> None:
    asked = profile(has_valid_id=False, has_income=False, sought_asylum=False)
    judgements = [
        evaluate(service(1), _set("has_income"), asked),
        evaluate(service(2), _set("has_income", "has_valid_id", "sought_asylum"), asked),
    ]
    assert failing_criteria(judgements, 5) == ["has_income", "has_valid_id"]
    assert failing_criteria(judgements, 1) == ["has_income"]


def test_a_service_answers_a_need_by_its_type_or_its_dimension() -> None:
    training = service(programme_id=UUID(int=7))
    assert training.serves([])
    assert training.serves(["vocational_training"])
    assert training.serves(["health", "economic"])
    assert not training.serves(["health"])
