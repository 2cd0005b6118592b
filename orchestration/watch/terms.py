"""A watchlist's terms as regular expressions of Postgres, which read names as a person would.

A term is matched as whole words, whatever the case. "PD-1" also finds "PD1" and "PD 1", never "PD-10" or "PD-L1":
between two words of a term, or a letter and a digit, there may be up to three characters that are neither, or none.
Greek letters and their names are one ("TGF-β" finds "TGF-beta"), and so are letters with and without accents.
"""

import re
import unicodedata

_NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "kappa", "lambda", "mu", "tau", "omega")
# Letter → how it is spelled out; generic names of drugs have alfa.
GREEK = {unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('lambda', 'lamda')}"): [name] for name in _NAMES}
GREEK[unicodedata.lookup("GREEK SMALL LETTER ALPHA")].append("alfa")
_LETTER_OF = {name: letter for letter, names in GREEK.items() for name in names}
_ACCENTED = {"a": "àáâãäå", "c": "ç", "e": "èéêë", "i": "ìíîï", "n": "ñ", "o": "òóôõöø", "u": "ùúûü", "y": "ýÿ"}
_MICRO = "\u00b5"  # a sign of its own, which looks the same
# Digits; a Greek letter; other letters. What is none of them separates.
_RUN = re.compile(rf"\d+|[{''.join(GREEK)}]|[^\W\d_{''.join(GREEK)}]+")
# Greek is named because a database of the locale C takes only ASCII for letters.
_WORD = r"[[:alnum:]\u0370-\u03FF]"
_NOT_WORD = r"[^[:alnum:]\u0370-\u03FF]"


def runs(term: str) -> list[str]:
    """The term's runs of letters or digits, folded: "TGF-Beta 1" → ["tgf", "β", "1"]. Empty where it has none."""
    return [_LETTER_OF.get(run, run) for run in _RUN.findall(_folded(term))]


def pattern(term: str) -> str:
    """A Postgres regular expression for `~*`; only letters and digits of the term get into it."""
    joined = f"{_NOT_WORD}{{0,3}}".join(_run_pattern(run) for run in runs(term))
    return f"(?<!{_WORD}){joined}(?!{_WORD})"


def any_pattern(terms: list[str]) -> str:
    """One expression for all terms, so that each name is read once."""
    return "|".join(pattern(term) for term in terms)


def slug(text: str) -> str:
    """A name for URLs, files and partition keys: a-z, 0-9 and single hyphens. Empty where nothing of it can be kept."""
    spelled = "".join(GREEK[c][0] if c in GREEK else c for c in _folded(text))
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")


def _run_pattern(run: str) -> str:
    if run in GREEK:
        letters = f"[{run}{run.upper()}{_MICRO if run == 'μ' else ''}]"
        return "(?:" + "|".join([letters, *GREEK[run]]) + ")"
    return "".join(f"[{c}{_ACCENTED[c]}{_ACCENTED[c].upper()}]" if c in _ACCENTED else c for c in run)


def _folded(text: str) -> str:
    """Lower case, without accents; the micro sign is the letter."""
    decomposed = unicodedata.normalize("NFKD", text).lower().replace("ø", "o")
    return "".join(c for c in decomposed if not unicodedata.combining(c))
