from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from monitor_core.config.explain import keys_of, models_in
from monitor_core.config.flat import Flat
from monitor_core.config.models import Config
from monitor_core.config.reference import document, sections
from monitor_core.config.secret import Secrets
from monitor_core.config.strict_yaml import read
from monitor_core.thresholds import CATALOGUE
from tests.support.configuration import ENVIRONMENT

ROOT = Path(__file__).parents[2]
KEYS = [
    (path, key, field)
    for path, model in [*sections(Config, ""), ("original", Flat)]
    for key, field in keys_of(model).items()
]
NAMES = [f"{path}.{key}" for path, key, _ in KEYS]


def test_the_page_is_what_the_models_say():
    assert (ROOT / "docs/configuration.md").read_text() == document()


@pytest.mark.parametrize(("path", "key", "field"), KEYS, ids=NAMES)
def test_every_key_has_a_meaning_and_an_example(path, key, field):
    assert field.description.endswith(".")
    assert field.examples or models_in(field.annotation)
    assert f"| `{key}` | {field.description} |" in document()


@pytest.mark.parametrize(("path", "key", "field"), [k for k in KEYS if k[2].examples], ids=lambda k: str(k)[:20])
def test_every_example_is_a_value_that_the_key_takes(path, key, field):
    value = read(f"{key}: {field.examples[0]}", "example").data[key]
    adapter = TypeAdapter(field.rebuild_annotation())
    adapter.validate_python(value, context=Secrets(ENVIRONMENT, None))


def test_the_example_file_has_every_key():
    text = (ROOT / "config/trainstatus.example.yaml").read_text()
    written = {token.value for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken)}
    assert not {key for path, key, _ in KEYS if path != "original"} - written
    assert not CATALOGUE.keys() - written


def test_the_minimal_file_has_the_eight_keys_of_the_original_and_no_other():
    data = yaml.safe_load((ROOT / "config/minimal.yaml").read_text())
    assert list(data) == [
        "target_email", "smtp_server", "source_email", "remote_host",
        "remote_user", "remote_port", "remote_log_path", "check_interval",
    ]  # fmt: skip
