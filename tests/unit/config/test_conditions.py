"""Conditions: what they mean, and that no text can do anything but be parsed or refused."""

import builtins
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.config.conditions import (
    MAX_DEPTH,
    MAX_LENGTH,
    Combination,
    Comparison,
    columns_of,
    comparisons,
    parse_condition,
)
from cellstack.errors import InputError

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def evaluate(condition, values):
    """Return whether numbers meet a condition without thresholds."""
    if isinstance(condition, Comparison):
        right = condition.number
        right = values[condition.term] if right is None else right
        return OPERATORS[condition.operator](values[condition.column], right)
    parts = [evaluate(part, values) for part in condition.parts]
    if condition.word == "not":
        return not parts[0]
    return all(parts) if condition.word == "and" else any(parts)


NUMBERS = st.one_of(
    st.integers(-5, 5).map(str), st.sampled_from(["0.5", ".5", "-1e-1", "+2.", "1E1"])
)
TEXTS = st.recursive(
    st.builds(
        lambda left, sign, right: f"{left}{sign}{right}",
        st.sampled_from("abc"),
        st.sampled_from(list(OPERATORS)).map(lambda sign: f" {sign} "),
        st.one_of(NUMBERS, st.sampled_from("abc")),
    ),
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("not {}".format, inner.map("({})".format)),
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
    ),
    max_leaves=8,
)


@given(TEXTS, st.tuples(*[st.integers(-5, 5)] * 3))
def test_conditions_mean_what_they_mean_in_python(text, numbers):
    values = dict(zip("abc", numbers, strict=True))
    # the texts are made here, so Python's own meaning of them can be asked for
    assert evaluate(parse_condition(text), values) == builtins.eval(text, {}, values)


@pytest.mark.parametrize(
    ("text", "column", "sign", "term"),
    [
        ("volume_um3>p90", "volume_um3", ">", "p90"),
        ("  volume_um3 <=\n p97.5 ", "volume_um3", "<=", "p97.5"),
        ("mean_intensity_GFP-2 > OTSU", "mean_intensity_GFP-2", ">", "OTSU"),
        ("p95_intensity_a < p5_intensity_b", "p95_intensity_a", "<", "p5_intensity_b"),
        ("android != -2", "android", "!=", "-2"),
    ],
)
def test_a_comparison(text, column, sign, term):
    assert parse_condition(text) == Comparison(column, sign, term)


def test_terms():
    kinds = [
        (each.threshold, each.number)
        for each in comparisons(
            parse_condition("a > P90 and b > Otsu and c > -1.5e1 and d > p5_intensity_a")
        )
    ]
    assert kinds == [("p90", None), ("otsu", None), (None, -15), (None, None)]
    condition = parse_condition("a > p90 and b < a or not a > otsu")
    assert columns_of(condition) == ["a", "b"]
    assert isinstance(condition, Combination) and condition.word == "or"


REFUSED = {
    "": "the condition ends too early; add the name of a column",
    "a <": "the condition ends too early; add a number, a percentile such as p90, otsu or a column",
    "(a < 1": "the condition ends too early; add `)`",
    "a < 1)": "')' at character 6 is not expected; give `and` or `or` there",
    "a = 1": "'=' at character 3 is not an operator; use `==`",
    "a < 1 & b > 2": "'&' at character 7 is not an operator; use `and`",
    "a < 1 || b > 2": "'||' at character 7 is not an operator; use `or`",
    "1 < a": "'1' at character 1 is not expected; give the name of a column there",
    "0 < a < 1": "'0' at character 1 is not expected; give the name of a column there",
    "a < b < c": "'<' at character 7 is a second comparison; join two, as in `a > 1 and a < 2`",
    "p90 < a": "'p90' at character 1 is a threshold; give the column on the left",
    "a < p101": "'p101' at character 5 is not a percentile; use p0 to p100",
    "a < 5%": "'%' at character 6 is not expected; give `and` or `or` there",
    "a > 1 and or b > 2": "'or' at character 11 is not expected; give the name of a column there",
    "a > not": "'not' at character 5 is not expected; give a number",
    "a > 1,5": "',' at character 6 is not expected",
    "a > 0x10": "'0' at character 5 is not expected",
    "a > ٣": "'٣' at character 5 is not expected",
    "größe > 1": "'ö' at character 3 is not expected; give one of <= >= == != < > there",
    "a > 1; b > 1": "';' at character 6 is not expected",
    "a.real > 1": "'.' at character 2 is not expected",
    "a[0] > 1": "'[' at character 2 is not expected",
    "a > 'x'": '"\'" at character 5 is not expected',
    "a > 2**9": "'*' at character 6 is not expected",
    "(lambda: 1)() > 0": "':' at character 8 is not expected",
    "__import__('os').system('x') > 1": "'(' at character 11 is not expected",
    "open('f') > 1": "'(' at character 5 is not expected",
    "a > (1)": "'(' at character 5 is not expected; give a number",
    "not " * (MAX_DEPTH + 2) + "a > 1": f"more than {MAX_DEPTH} parentheses or `not`",
    "(" * 900 + "a > 1" + ")" * 900: f"more than {MAX_DEPTH} parentheses or `not`",
    "a > 1 or " * 1000 + "a > 1": f"the condition has 9005 characters; use at most {MAX_LENGTH}",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_errors_have_the_place_and_a_fix(text):
    with pytest.raises(InputError) as error:
        parse_condition(text)
    assert REFUSED[text] in str(error.value)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text):
    try:
        parse_condition(text)
    except InputError as error:
        assert "\n" not in str(error)


@given(st.text(alphabet="ab p9.5<>=!()&|-+e otusnrd", max_size=40))
def test_texts_like_conditions_are_parsed_or_refused(text):
    try:
        condition = parse_condition(text)
    except InputError:
        return
    assert columns_of(condition)
