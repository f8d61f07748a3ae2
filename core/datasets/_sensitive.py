"""Recognition of columns that name groups of people, by column name, in several languages."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["suspected_attribute"]

_ATTRIBUTES = {
    "sex or gender": "sex gender male female geschlecht sexe genre sexo genero sesso genere geslacht kon plec pol",
    "race or ethnicity": "race ethnicity ethnic ethnie raza raca cor etnia ethnicite hautfarbe skin skincolor "
    "colour",  # codespell:ignore colour
    "age": "age ages alter edad idade eta leeftijd alder wiek agegroup ageband altersgruppe",
    "birth date": "birthdate birthday dob birthyear yob birth geburtsdatum geburtsjahr geboren naissance nacimiento "
    "nascimento nascita geboortedatum",
    "religion": "religion religious faith konfession religione religiao godsdienst croyance",
    "nationality or origin": "nationality citizenship nativecountry countryofbirth birthcountry nationalitat "
    "staatsangehorigkeit nationalite nacionalidad nacionalidade nazionalita foreignworker foreigner immigrant migrant "
    "origin herkunft migrationshintergrund",
    "disability or health": "disability disabled handicap behinderung invalidite discapacidad deficiencia disabilita "
    "pregnant pregnancy",
    "marital status": "marital maritalstatus married familienstand civilstatus etatcivil estadocivil statocivile "
    "burgerlijkestaat",
    "sexual orientation": "sexualorientation orientation lgbt",
    "language": "nativelanguage mothertongue muttersprache",
}
_WORDS = {word: attribute for attribute, words in _ATTRIBUTES.items() for word in words.split()}


def suspected_attribute(name: str) -> str | None:
    """Return the protected attribute that a column name suggests.

    Parameters
    ----------
    name : str
        Column name, in any common spelling (``maritalStatus``, ``MARITAL_STATUS``, ``marital-status``).

    Returns
    -------
    str or None
        Attribute, such as "marital status".

    Examples
    --------
    >>> [suspected_attribute(name) for name in ("applicantSex", "native-country", "État civil", "wages", "Unisex")]
    ['sex or gender', 'nationality or origin', 'marital status', None, None]
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    words = re.findall(r"[a-z]+", plain)
    for length in (3, 2, 1):  # "native country" before "country"
        for start in range(len(words) - length + 1):
            attribute = _WORDS.get("".join(words[start : start + length]))
            if attribute:
                return attribute
    return None
