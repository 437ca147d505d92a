import io

import pytest

from services.registry.imports.tabular import Table, Unusable, clean, is_formula

COLUMNS = {"name": ("Name", "Title"), "code": ("Code",), "note": ("Note",)}


def table(content: bytes | str, mapping: dict[str, str] | None = None, max_rows: int = 10) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return Table(io.BytesIO(data), COLUMNS, [("name",), ("code",)], mapping or {}, max_rows)


def refusal(of: Table) -> list[str]:
    with pytest.raises(Unusable) as refused:
        list(of.rows())
    return [issue.code for issue in refused.value.issues]


def test_rows_are_counted_as_a_spreadsheet_shows_them() -> None:
    read = table('\ufeffName,Code\r\nfirst,1\r\n,\r\n"two\nlines",2\r\n')
    rows = list(read.rows())
    assert [(row.number, row["name"], row["code"]) for row in rows] == [(2, "first", "1"), (4, "two lines", "2")]
    assert (read.row_count, read.empty_rows) == (3, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_the_header_known(delimiter: str) -> None:
    assert [row["code"] for row in table(f"Name{delimiter}Code\na{delimiter}1\n").rows()] == ["1"]


def test_a_mapping_names_columns_that_are_not_known() -> None:
    read = table("Bezeichnung,Code,Name\nx,1,other\n", {"name": "Bezeichnung"})
    assert [row["name"] for row in read.rows()] == ["x"]
    assert read.path("name") == "Bezeichnung"


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("Name,Code\ncafé,1\n".encode("latin-1"), ["wrong_encoding"]),
        ("Name,Code\na,1\n".encode("utf-16"), ["wrong_encoding"]),
        (b"PK\x03\x04\xff\xfe", ["wrong_encoding"]),
        (b"", ["no_rows"]),
        (b"Name,Code\n", ["no_rows"]),
        (b"Name,Code\n,\n , \n", ["no_rows"]),
        (b"\nName,Code\n", ["no_rows"]),
        (b"a,b\nc,d\n", ["no_header"]),
        (b"Note,Else\nc,d\n", ["missing_column", "missing_column"]),
        (b"Name,Note\nc,d\n", ["missing_column"]),
        (b"Name,Code\n" + b"a,1\n" * 11, ["too_many_rows"]),
        (b"Name,Code\n" + b"a" * 200_000 + b",1\n", ["unreadable"]),
    ],
)
def test_a_file_that_cannot_be_used_says_why(content: bytes, codes: list[str]) -> None:
    assert refusal(table(content)) == codes


def test_as_many_rows_as_allowed_are_read() -> None:
    assert len(list(table(b"Name,Code\n" + b"a,1\n" * 10).rows())) == 10


def test_a_formula_is_not_used_and_not_repeated() -> None:
    read = table('Name,Code\n"=HYPERLINK(""http://x"",""y"")",1\nb,-5\nc,@SUM(A1)\n')
    rows = list(read.rows())
    assert [row["name"] for row in rows] == ["", "b", "c"]
    assert [row["code"] for row in rows] == ["1", "-5", ""]
    assert [(issue.row, issue.path, issue.code) for issue in read.issues] == [
        (2, "Name", "formula"),
        (4, "Code", "formula"),
    ]
    assert not any("HYPERLINK" in issue.detail or "SUM" in issue.detail for issue in read.issues)


@pytest.mark.parametrize("text", ["=1+1", "+251 11", "-A1", "@x"])
def test_what_a_spreadsheet_would_compute_is_a_formula(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", ["-5", "+1,5", "-", "a=b", "", "12 %"])
def test_numbers_and_words_are_no_formulas(text: str) -> None:
    assert not is_formula(text)


def test_cells_beyond_the_header_and_cells_too_long_are_reported() -> None:
    read = table(f"Name,Code\na,1,extra\n{'x' * 1001},2\n")
    assert [row["name"] for row in read.rows()] == ["a", ""]
    assert [(issue.row, issue.code) for issue in read.issues] == [(2, "extra_cells"), (3, "too_long")]


def test_cells_are_freed_of_control_characters() -> None:
    assert clean("  a\x00b\xa0\u200bc\r\n d ") == "a b c d"
