from __future__ import annotations

import math

import pytest

from monitor_core.config.load import load
from monitor_core.config.strict_yaml import read
from monitor_core.errors import ConfigError
from tests.support.configuration import SMALLEST, load_text, problems


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "yes",
        "on",
        "off",
        "22:22",
        "0644",
        "0x1F",
        "1_000",
        "2026-01-01",
        ".inf",
        ".nan",
        "1e999",
        "007.5",
        "=",
        "<<",
    ],
)
def test_what_yaml_would_turn_into_something_else_stays_a_word(word):
    assert read(f"key: {word}", "f").data == {"key": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-3", -3),
        ("+4", 4),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("2E3", 2000.0),
        ("true", True),
        ("False", False),
        ("'5'", "5"),
        ("'true'", "true"),
    ],
)
def test_numbers_and_truth_are_what_they_look_like(text, value):
    data = read(f"key: {text}", "f").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize("text", ["9" * 5000, "1e99"])
def test_huge_numbers_hurt_nobody(text):
    value = read(f"key: {text}", "f").data["key"]
    assert isinstance(value, str) or math.isfinite(value)


def test_keys_are_words_whatever_they_look_like():
    assert read("1: a\nno: b\n2026-01-01: c", "f").data == {"1": "a", "no": "b", "2026-01-01": "c"}


def test_a_run_may_be_called_by_a_number(tmp_path):
    assert load_text(tmp_path, SMALLEST.replace("llama", "2024")).runs["2024"].name == "2024"


def test_no_means_false_where_only_true_and_false_make_sense(tmp_path):
    assert load_text(tmp_path, SMALLEST.replace("{user: me}", "{agent: no}")).hosts["gpu-01"].agent is False


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path):
    assert load_text(tmp_path, "\ufeff" + SMALLEST.replace("\n", "\r\n")).runs


def test_a_section_that_is_commented_out_is_left_out(tmp_path):
    assert load_text(tmp_path, SMALLEST + "slack:\n  # channel: C1\n").slack is None


BAD = {
    "empty": ("", ": is empty: begin with a copy of config/trainstatus.example.yaml"),
    "only a comment": ("# nothing\n", ": is empty: begin with a copy of config/trainstatus.example.yaml"),
    "a list": ("- a\n", ":1: holds no keys (example: `runs:` at the start of a line)"),
    "a word": ("\nhello\n", ":2: holds no keys (example: `runs:` at the start of a line)"),
    "a tab": ("runs:\n\tllama: {}\n", ":2: is not valid YAML: a tab: indent with spaces"),
    "an open bracket": (
        "a: 1\nb: [1, 2\nc: 3\n",
        ":2: is not valid YAML: a bracket or brace that is not closed, or a missing comma",
    ),
    "an open quote": ("a: 'x\n", ":1: is not valid YAML: a quote that is not closed"),
    "bad indentation": (
        "a:\n    b: 1\n  c: 2\n",
        ":3: is not valid YAML: a line that fits neither the section before nor a new one: check the indentation",
    ),
    "an indented beginning": (
        "  a: 1\nb: 2\n",
        ":2: is not valid YAML: a line that fits nothing before it: check the indentation",
    ),
    "two colons": (
        "a: b: c\n",
        ":1: is not valid YAML: a ':' where none can be: check the indentation, or put the value in quotes",
    ),
    "an unquoted glob": ("a: 1\nb: *.log\n", ":2: is not valid YAML: a * that begins a value: put the value in quotes"),
    "an at sign": (
        "a: @bob\n",
        ":1: is not valid YAML: a character that cannot start a value: put the value in quotes",
    ),
    "a line without a colon": ("a: 1\nbcd\n", ":2: is not valid YAML: a key without ':' and a value"),
    "an alias": (
        "a: 1\nb: *hunter2\n",
        ":2: holds an alias (*) or anchor (&): put the value in quotes, or write it out",
    ),
    "an anchor": (
        "a: &hunter2 [b]\n",
        ":1: holds an alias (*) or anchor (&): put the value in quotes, or write it out",
    ),
    "a tag": ("a: !hunter2\n", ":1: holds a tag (!): put the value in quotes"),
    "a Python tag": ("a: !!python/object/apply:os.system [ls]\n", ":1: holds a tag (!): put the value in quotes"),
    "an unknown tag handle": ("a: !hunter2!x y\n", ":1: is not valid YAML: a tag (!): put the value in quotes"),
    "two documents": ("a: 1\n---\nb: 2\n", ":2: is not valid YAML: a second document (---): keep one"),
    "a control character": ("a: 1\nb: \x07\n", ":2: holds a control character: remove it"),
    "an impossible escape": ('a: "\\UFFFFFFFF"\n', ": is not valid YAML: an escape or a directive is no text"),
    "not UTF-8": (b"a: 1\nb: \xff\n", ":2: is not UTF-8 text: save it as UTF-8"),
    "deep nesting": ("a: " + "[" * 100_000, ":1: holds nested too deeply"),
    "too large": ("#" * (2**20 + 1), ": is larger than 1 MiB: this is no configuration"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_yaml_is_one_clear_problem(tmp_path, case):
    text, told = BAD[case]
    assert problems(tmp_path, text) == [f"trainstatus.yaml{told}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "console: true\nconsole: false\n",
            "trainstatus.yaml:2: console: stands here again (first on line 1): keep one",
        ),
        ("? [a]\n: 1\n", "trainstatus.yaml:1: a key is a list or a section: put it in quotes"),
        ('owner: "\\ud800"\n', "trainstatus.yaml:1: owner: holds a line break or control character: remove it"),
    ],
)
def test_odd_keys_and_values_are_told_beside_all_other_problems(tmp_path, text, told):
    said = problems(tmp_path, text)
    assert told in said
    assert any("runs: is missing or empty" in problem for problem in said)


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path):
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    assert len(problems(tmp_path, bomb)) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.yaml", "there is no such file"),
        (".", "cannot be read: Is a directory"),
        ("a\0b", "its name is no path"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, told):
    with pytest.raises(ConfigError, match=told):
        load(f"{tmp_path}/{name}", environment={}, ask=None)
