"""The rules of consents and derogations, without a database."""

from datetime import date, timedelta
from typing import get_args

import pytest

from services.referral.consents import domain
from services.referral.consents.domain import Article, DerogationNotForPublicAuthority, RecipientKind
from shared.errors import Unprocessable

TODAY = date(2026, 5, 1)
PRIVATE_GROUNDS = {"49(1)(a)", "49(1)(b)", "49(1)(c)", "49(1) second subparagraph"}


@pytest.mark.parametrize("kind", [None, *get_args(RecipientKind)])
@pytest.mark.parametrize("article", get_args(Article))
def test_a_public_authority_may_not_use_the_grounds_that_art_49_3_takes_from_it(
    article: Article, kind: str | None
) -> None:
    if kind in (None, "public_authority") and article in PRIVATE_GROUNDS:
        with pytest.raises(DerogationNotForPublicAuthority):
            domain.check_derogation(article, kind, TODAY, TODAY)
    else:
        domain.check_derogation(article, kind, TODAY, TODAY)


def test_a_derogation_that_has_run_out_is_not_recorded() -> None:
    with pytest.raises(Unprocessable):
        domain.check_derogation("49(1)(d)", "ngo", TODAY - timedelta(days=1), TODAY)


def test_consent_is_given_in_the_past_and_ends_after_it_was_given() -> None:
    domain.check_consent(TODAY, None, TODAY)
    domain.check_consent(TODAY, TODAY, TODAY)
    with pytest.raises(Unprocessable):
        domain.check_consent(TODAY + timedelta(days=1), None, TODAY)
    with pytest.raises(Unprocessable):
        domain.check_consent(TODAY, TODAY - timedelta(days=1), TODAY)
