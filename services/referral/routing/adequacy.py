"""Which countries personal data may go to without a safeguard of its own (GDPR Chapter V).

EEA: the members of the European Union, and Iceland, Liechtenstein and Norway (EEA Agreement, Annex XI: Decision of the
EEA Joint Committee 154/2018). Adequate: decisions of the European Commission under GDPR Art. 45, or under its
predecessor and kept in force by Art. 45(9).

As known to the project, check before relying on it:
https://commission.europa.eu/law/law-topic/data-protection/international-dimension-data-protection/adequacy-decisions_en

Not modelled, and so treated as outside: Canada (commercial organisations only), the United States (only organisations
certified under the Data Privacy Framework), and every international organisation.
"""

from dataclasses import dataclass
from datetime import date

EEA = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        *("IS", "LI", "NO"),
    }
)


@dataclass(frozen=True)
class AdequacyDecision:
    country: str
    reference: str
    since: date
    until: date | None = None


ADEQUACY = (
    AdequacyDecision("AD", "2010/625/EU", date(2010, 10, 19)),
    AdequacyDecision("AR", "2003/490/EC", date(2003, 6, 30)),
    AdequacyDecision("CH", "2000/518/EC", date(2000, 7, 26)),
    AdequacyDecision("FO", "2010/146/EU", date(2010, 3, 5)),
    # 2021/1772 lapsed at the end of 2025 unless prolonged; the project knows of a renewal for six years.
    AdequacyDecision("GB", "(EU) 2021/1772 and its renewal", date(2021, 6, 28), date(2031, 12, 27)),
    AdequacyDecision("GG", "2003/821/EC", date(2003, 11, 21)),
    AdequacyDecision("IL", "2011/61/EU", date(2011, 1, 31)),
    AdequacyDecision("IM", "2004/411/EC", date(2004, 4, 28)),
    AdequacyDecision("JE", "2008/393/EC", date(2008, 5, 8)),
    AdequacyDecision("JP", "(EU) 2019/419", date(2019, 1, 23)),
    AdequacyDecision("KR", "(EU) 2022/254", date(2021, 12, 17)),
    AdequacyDecision("NZ", "2013/65/EU", date(2012, 12, 19)),
    AdequacyDecision("UY", "2012/484/EU", date(2012, 8, 21)),
)


def is_in_eea(country: str) -> bool:
    return country in EEA


def is_adequate(country: str, on: date) -> bool:
    """An adequacy decision that holds for any recipient in the country is in force on that day."""
    return any(
        decision.country == country and decision.since <= on and (decision.until is None or on <= decision.until)
        for decision in ADEQUACY
    )
