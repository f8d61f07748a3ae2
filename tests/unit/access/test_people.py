"""Names of people: two users never share one, whatever their providers say about them."""

import pytest

from core.access import person_name

ADA = {"email": "ada@example.org", "email_verified": True, "sub": "1", "iss": "https://id.example.org"}


def test_the_case_of_ascii_letters_does_not_tell_people_apart():
    assert person_name(ADA | {"email": "Ada@EXAMPLE.org"}) == "ada@example.org"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "\u212aevin@example.org"}, {"email": "kevin@example.org"}),  # the sign for kelvin
        ({"email": "\u0130da@example.org"}, {"email": "ida@example.org"}),
        ({"email": "zo\u00e9@example.org"}, {"email": "zoe\u0301@example.org"}),
        ({"email": "ada@example.org "}, {}),
        ({"email": "ada@example.org\n"}, {}),
        ({"email": "ada\u200b@example.org"}, {}),
        ({"email_verified": "false"}, {}),
        ({"email_verified": 0}, {}),
        ({"email_verified": None}, {}),
        ({"email": None, "name": "ada@example.org"}, {}),
        ({"email": ["ada@example.org"]}, {}),
        ({"email": "a" * 199 + "@example.org"}, {"email": "a" * 199 + "@example.com"}),
        (
            {"email_verified": False, "iss": "https://id.example.org/realms/a"},
            {"email_verified": False, "iss": "https://id.example.org/realms/b"},
        ),
        ({"email_verified": False, "sub": "x" * 300}, {"email_verified": False, "sub": "x" * 301}),
        ({"email_verified": False, "name": "b"}, {"email_verified": False, "sub": "2"}),
    ],
)
def test_users_that_are_not_the_same_have_different_names(one, other):
    names = person_name(ADA | one), person_name(ADA | other)
    assert names[0] != names[1]
    assert all(len(name) <= 200 and name.isprintable() for name in names), names


def test_providers_that_say_true_as_a_text_have_verified_the_address():
    assert person_name(ADA | {"email_verified": "true"}) == person_name(ADA)


def test_where_nobody_else_signs_in_an_unverified_address_will_do():
    assert person_name(ADA | {"email_verified": False}, trusted=True) == "ada@example.org"
