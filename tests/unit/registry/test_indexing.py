from services.registry.directory.indexing import areas_wanted, part_of, points_of, terms_of, words_wanted


def finds(text: str, *texts: str) -> bool:
    return set(words_wanted(text)) <= set(terms_of(texts, None, []))


def test_a_service_is_found_by_words_and_how_they_begin() -> None:
    assert finds("Tailor", "Tailoring course")
    assert finds("course tailoring", "Tailoring course")
    assert finds("psychosoc", "Psychosocial counselling")
    assert finds("psychosocialcounselling", "Psychosocialcounsellors")  # a long word is found by its first letters
    assert not finds("ailoring", "Tailoring course")
    assert not finds("tailoring welding", "Tailoring course")


def test_accents_case_and_punctuation_do_not_matter_in_any_script() -> None:
    assert finds("ecole", "L'École")
    assert finds("l’ecole", "L'École")
    assert finds("childrens", "Children's home")
    assert finds("Children's", "Children's home")
    assert finds("ሥልጠና", "የሙያ ሥልጠና")
    assert finds("دورة", "دورة تدريبية")
    assert finds("a2", "Block A2")


def test_no_word_can_be_mistaken_for_a_mark() -> None:
    assert not set(words_wanted("type:housing area:NG in:NG")) & set(terms_of([], "housing", ["NG012"]))


def test_an_area_is_covered_by_itself_and_by_what_it_lies_in() -> None:
    region, village, country = (set(terms_of([], None, [code])) for code in ("NG012", "NG012001", "NG"))
    assert set(areas_wanted("NG012001")) & region
    assert set(areas_wanted("NG012001")) & country
    assert not set(areas_wanted("NG012")) & village
    assert set(part_of("NG012")) & village
    assert set(part_of("NG012")) & country
    assert not set(part_of("NG013")) & (village | region)


def test_points_are_locations_with_both_coordinates() -> None:
    places: list[dict[str, object]] = [
        {"name": "office"},
        {"latitude": 0.0, "longitude": 0.0},
        {"latitude": 1.0, "longitude": None},
    ]
    assert points_of(places) == [{"number": 1, "latitude": 0.0, "longitude": 0.0}]
    assert points_of(None) == []
