"""The facts a criterion may ask about, as data: a new one is one entry here.

Chosen from what the sources ask for: the service map and the feasibility grid of the IOM Handbook (1.4.2, Annex 5), the
packages of the EURP, Georgia's state programme, and the forms of BRAC's reintegration system. The lists of codes are
the project's own.
"""

from functools import partial
from types import MappingProxyType
from typing import Any

from services.eligibility.facts.domain import Fact, FactType, Level, Sensitivity

_COUNTRY = "[A-Z]{2}"
_LANGUAGE = "[a-z]{3}"


def _fact(
    level: Level, sensitivity: Sensitivity, name: str, type_: FactType, eng: str, fra: str, deu: str, **more: Any
) -> Fact:
    """One entry, with the question as a person is asked it in English, French and German."""
    question = MappingProxyType({"eng": eng, "fra": fra, "deu": deu})
    return Fact(name=name, type=type_, level=level, sensitivity=sensitivity, question=question, **more)


_personal = partial(_fact, Level.INDIVIDUAL, Sensitivity.PERSONAL)
_special = partial(_fact, Level.INDIVIDUAL, Sensitivity.SPECIAL)
_community = partial(_fact, Level.COMMUNITY, Sensitivity.GENERAL)
_structural = partial(_fact, Level.STRUCTURAL, Sensitivity.GENERAL)

_FACTS = (
    # who she is, and her return
    _personal(
        "born_on",
        FactType.DATE,
        "When were you born?",
        "Quelle est votre date de naissance ?",
        "Wann sind Sie geboren?",
        is_birth=True,
    ),
    _personal(
        "sex",
        FactType.CODE,
        "What is your sex?",
        "Quel est votre sexe ?",
        "Welches Geschlecht haben Sie?",
        allowed=("female", "male", "other"),
    ),
    _personal(
        "nationality",
        FactType.CODE,
        "Which nationality do you have?",
        "Quelle est votre nationalité ?",
        "Welche Staatsangehörigkeit haben Sie?",
        unit="ISO 3166-1 alpha-2",
        pattern=_COUNTRY,
    ),
    _personal(
        "languages",
        FactType.CODES,
        "Which languages do you speak?",
        "Quelles langues parlez-vous ?",
        "Welche Sprachen sprechen Sie?",
        unit="ISO 639-3",
        pattern=_LANGUAGE,
    ),
    _personal(
        "returned_on",
        FactType.DATE,
        "On which day did you arrive, or will you arrive, in the country you return to?",
        "Quel jour êtes-vous arrivé(e), ou arriverez-vous, dans votre pays de retour ?",
        "An welchem Tag sind Sie im Rückkehrland angekommen, oder werden Sie dort ankommen?",
    ),
    _personal(
        "left_on",
        FactType.DATE,
        "When did you leave the country you return to?",
        "Quand avez-vous quitté le pays où vous retournez ?",
        "Wann haben Sie das Land verlassen, in das Sie zurückkehren?",
    ),
    _personal(
        "months_abroad",
        FactType.INTEGER,
        "How many months did you live abroad?",
        "Combien de mois avez-vous vécu à l'étranger ?",
        "Wie viele Monate haben Sie im Ausland gelebt?",
        unit="months",
        minimum=0,
        maximum=1200,
    ),
    _personal(
        "return_type",
        FactType.CODE,
        "Is the return voluntary, forced, or on one's own without assistance?",
        "Le retour est-il volontaire, forcé, ou spontané ?",
        "Ist die Rückkehr freiwillig, erzwungen oder aus eigenem Antrieb ohne Hilfe?",
        allowed=("voluntary", "forced", "spontaneous"),
    ),
    _personal(
        "returned_from",
        FactType.CODE,
        "From which country do you return?",
        "De quel pays revenez-vous ?",
        "Aus welchem Land kehren Sie zurück?",
        unit="ISO 3166-1 alpha-2",
        pattern=_COUNTRY,
    ),
    _personal(
        "assisted_before",
        FactType.BOOLEAN,
        "Have you received reintegration assistance for an earlier return?",
        "Avez-vous déjà reçu une aide à la réintégration lors d'un retour précédent ?",
        "Haben Sie bei einer früheren Rückkehr schon Hilfe zur Reintegration bekommen?",
    ),
    # family and situation
    _personal(
        "household_size",
        FactType.INTEGER,
        "How many people live in your household?",
        "Combien de personnes vivent dans votre foyer ?",
        "Wie viele Personen leben in Ihrem Haushalt?",
        unit="persons",
        minimum=1,
        maximum=50,
    ),
    _personal(
        "minor_children",
        FactType.INTEGER,
        "How many children under 18 do you care for?",
        "Combien d'enfants de moins de 18 ans avez-vous à charge ?",
        "Für wie viele Kinder unter 18 Jahren sorgen Sie?",
        unit="persons",
        minimum=0,
        maximum=50,
    ),
    _special(
        "vulnerabilities",
        FactType.CODES,
        "Which of these situations apply to you?",
        "Lesquelles de ces situations vous concernent ?",
        "Welche dieser Umstände treffen auf Sie zu?",
        allowed=(
            "single_parent",
            "pregnant_or_nursing",
            "unaccompanied_minor",
            "older_person",
            "chronic_illness",
            "survivor_of_trafficking",
            "survivor_of_violence",
            "without_shelter",
            "other",
        ),
    ),
    _special(
        "has_disability",
        FactType.BOOLEAN,
        "Do you live with a disability?",
        "Vivez-vous avec un handicap ?",
        "Leben Sie mit einer Behinderung?",
    ),
    # learning and work
    _personal(
        "education_level",
        FactType.CODE,
        "What is the highest level of education you completed?",
        "Quel est le plus haut niveau d'études que vous avez achevé ?",
        "Welchen höchsten Bildungsabschluss haben Sie?",
        allowed=("none", "primary", "secondary", "vocational", "tertiary"),
    ),
    _personal(
        "work_experience_months",
        FactType.INTEGER,
        "How many months have you worked, all jobs together?",
        "Combien de mois avez-vous travaillé, tous emplois confondus ?",
        "Wie viele Monate haben Sie insgesamt gearbeitet?",
        unit="months",
        minimum=0,
        maximum=900,
    ),
    _personal(
        "skills",
        FactType.CODES,
        "In which trades do you have skills?",
        "Dans quels métiers avez-vous des compétences ?",
        "In welchen Berufen haben Sie Kenntnisse?",
        allowed=(
            "agriculture",
            "livestock",
            "fishing",
            "construction",
            "electrical",
            "plumbing",
            "welding",
            "mechanics",
            "driving",
            "tailoring",
            "hairdressing",
            "catering",
            "retail",
            "crafts",
            "office",
            "information_technology",
            "care",
            "teaching",
            "other",
        ),
    ),
    _personal(
        "wants_self_employment",
        FactType.BOOLEAN,
        "Do you want to start or go on with a business of your own?",
        "Souhaitez-vous créer ou poursuivre votre propre activité ?",
        "Möchten Sie sich selbständig machen oder selbständig bleiben?",
    ),
    _personal(
        "wants_placement",
        FactType.BOOLEAN,
        "Are you interested in being placed in a job?",
        "Souhaitez-vous être placé(e) dans un emploi ?",
        "Möchten Sie in eine Arbeitsstelle vermittelt werden?",
    ),
    _personal(
        "has_income",
        FactType.BOOLEAN,
        "Do you have an activity that earns enough to live on?",
        "Avez-vous une activité qui suffit pour vivre ?",
        "Haben Sie eine Tätigkeit, von der Sie leben können?",
    ),
    _personal(
        "savings_eur",
        FactType.DECIMAL,
        "How much money have you saved, in euros?",
        "Combien d'argent avez-vous épargné, en euros ?",
        "Wie viel Geld haben Sie gespart, in Euro?",
        unit="EUR",
        minimum=0,
    ),
    _personal(
        "has_unproductive_debt",
        FactType.BOOLEAN,
        "Do you have debts that weigh on you and bring in nothing?",
        "Avez-vous des dettes lourdes qui ne rapportent rien ?",
        "Haben Sie drückende Schulden, denen kein Ertrag gegenübersteht?",
    ),
    _personal(
        "has_valid_id",
        FactType.BOOLEAN,
        "Do you have a valid identity document of the country you return to?",
        "Avez-vous une pièce d'identité valable du pays où vous retournez ?",
        "Haben Sie ein gültiges Ausweisdokument des Rückkehrlandes?",
    ),
    _personal(
        "has_bank_account",
        FactType.BOOLEAN,
        "Do you have a bank or mobile-money account in the country you return to?",
        "Avez-vous un compte bancaire ou mobile dans le pays où vous retournez ?",
        "Haben Sie im Rückkehrland ein Bank- oder Mobilgeldkonto?",
    ),
    # what stays in the member state
    _special(
        "sought_asylum",
        FactType.BOOLEAN,
        "Did you apply for asylum abroad?",
        "Avez-vous demandé l'asile à l'étranger ?",
        "Haben Sie im Ausland Asyl beantragt?",
        never_leaves=True,
    ),
    _special(
        "protection_status",
        FactType.CODE,
        "How did an application for protection end?",
        "Quelle a été l'issue d'une demande de protection ?",
        "Wie ist ein Schutzantrag ausgegangen?",
        allowed=("none", "pending", "refused", "withdrawn", "granted"),
        never_leaves=True,
    ),
    _special(
        "stayed_irregularly",
        FactType.BOOLEAN,
        "Was your stay abroad without a right of residence?",
        "Avez-vous séjourné à l'étranger sans titre de séjour ?",
        "Waren Sie im Ausland ohne Aufenthaltsrecht?",
        never_leaves=True,
    ),
    # the community she returns to
    _community(
        "employment_level",
        FactType.CODE,
        "How high is employment in the area?",
        "Quel est le niveau d'emploi dans la zone ?",
        "Wie hoch ist die Beschäftigung in der Gegend?",
        allowed=("low", "medium", "high"),
    ),
    _community(
        "market_access",
        FactType.CODE,
        "How well can markets be reached from the area?",
        "Comment les marchés sont-ils accessibles depuis la zone ?",
        "Wie gut sind Märkte von der Gegend aus zu erreichen?",
        allowed=("none", "limited", "good"),
    ),
    _community(
        "training_provider_present",
        FactType.BOOLEAN,
        "Is there a training provider in the area?",
        "Y a-t-il un organisme de formation dans la zone ?",
        "Gibt es in der Gegend eine Ausbildungsstätte?",
    ),
    _community(
        "tension_risk",
        FactType.CODE,
        "How likely is tension between returnees and others about assistance?",
        "Quel est le risque de tensions au sujet de l'aide entre personnes de retour et habitants ?",
        "Wie wahrscheinlich sind Spannungen zwischen Rückkehrenden und anderen wegen der Hilfe?",
        allowed=("low", "medium", "high"),
    ),
    # what carries a service at all
    _structural(
        "sim_coverage",
        FactType.BOOLEAN,
        "Can money be delivered safely by mobile phone in the area?",
        "L'argent peut-il être remis en sécurité par téléphone mobile dans la zone ?",
        "Kann Geld in der Gegend sicher über Mobiltelefone ausgezahlt werden?",
    ),
    _structural(
        "reliable_suppliers",
        FactType.BOOLEAN,
        "Are there suppliers in the area that can be relied on?",
        "Y a-t-il des fournisseurs fiables dans la zone ?",
        "Gibt es in der Gegend verlässliche Lieferanten?",
    ),
    _structural(
        "area_accessible",
        FactType.BOOLEAN,
        "Can staff and returnees reach the area safely?",
        "La zone est-elle accessible en sécurité pour le personnel et les personnes de retour ?",
        "Ist die Gegend für Mitarbeitende und Rückkehrende sicher erreichbar?",
    ),
)

CATALOGUE: MappingProxyType[str, Fact] = MappingProxyType({fact.name: fact for fact in _FACTS})
"""Name → fact, in the order in which people are asked."""
