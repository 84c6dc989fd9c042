from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from registry_ui import env


@pytest.fixture(autouse=True)
def _forget_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "READ", set())


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "")

    assert env.text("NAME", "default") == "default"
    with pytest.raises(ImproperlyConfigured, match=r"NAME is not set \(see docs/settings\.md\)"):
        env.text("NAME")


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("1", True), ("YES", True), ("on", True), ("False", False), ("0", False), ("no", False)],
)
def test_a_flag_says_yes_or_no(value: str, meant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", value)

    assert env.flag("NAME", default=not meant) is meant


def test_a_wrong_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "maybe")

    with pytest.raises(ImproperlyConfigured, match=r"NAME='maybe' cannot be used: say true or false"):
        env.flag("NAME", default=False)
    with pytest.raises(ImproperlyConfigured, match=r"NAME='maybe' cannot be used: say a whole number"):
        env.number("NAME", 1)


def test_words_are_separated_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "a, b c")

    assert env.words("NAME") == ["a", "b", "c"]


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("open sesame\n")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "secret"))

    assert env.secret("NAME") == "open sesame"
    assert {"NAME"} == env.READ


def test_a_secret_is_given_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "absent"))

    with pytest.raises(ImproperlyConfigured, match=r"NAME_FILE='.*absent' cannot be used: .*No such file"):
        env.secret("NAME")
    monkeypatch.setenv("NAME", "too")
    with pytest.raises(ImproperlyConfigured, match="NAME and NAME_FILE are both set"):
        env.secret("NAME")
