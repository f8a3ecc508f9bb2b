"""What is different in a configuration that was read anew, and how it is said."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from monitor_core.config.difference import difference
from monitor_core.config.models import Config

OLD = {
    "hosts": {"gpu-01": {"jump": "bastion"}, "gpu-02": {}, "bastion": {}},
    "runs": {
        "llama": {"host": "gpu-01", "logs": ["/llama.log"]},
        "moe": {"host": "gpu-02", "logs": ["/moe.log"]},
    },
    "email": {"smtp": {"host": "smtp.example.com", "password": SecretStr("one")}, "from": "t@example.com"},
}


def with_changes(**sections):
    """Return the configuration with something else under a key of a key."""
    changed = {section: {**OLD.get(section, {}), **entries} for section, entries in sections.items()}
    return Config.model_validate({**OLD, **changed})


def of(new):
    return difference(Config.model_validate(OLD), new)


def test_a_run_is_changed_by_its_format():
    old, new = (
        Config.model_validate(
            {
                "hosts": {"gpu-01": {}},
                "formats": {"ours": {"progress": pattern}},
                "runs": {
                    "llama": {"host": "gpu-01", "logs": ["/llama.log"], "format": "ours"},
                    "moe": {"host": "gpu-01", "logs": ["/moe.log"]},
                },
            }
        )
        for pattern in ("step {iteration}", "step {iteration}/{total}")
    )
    assert difference(old, new).changed == {"llama"}


CASES = {
    "nothing changed": {},
    "1 run added": {"runs": {"new": {"host": "gpu-02", "logs": ["/new.log"]}}},
    "1 run changed": {"runs": {"moe": {"host": "gpu-02", "logs": ["/moe.log"], "owner": "carol"}}},
    "1 run changed, 1 host changed": {"hosts": {"gpu-02": {"port": 2222}}},
    "2 hosts changed": {"hosts": {"bastion": {"user": "me"}}},
    "defaults changed": {"defaults": {"check_interval": "30s"}},
    "mail changed": {"email": {"smtp": {"host": "smtp.example.com", "password": SecretStr("two")}}},
    "retention changed": {"retention": {"audit": "30d"}},
    "Slack changed": {"slack": {"channel": "C0123ABCD", "bot_token": SecretStr("xoxb-1")}},
}


@pytest.mark.parametrize(("said", "changes"), CASES.items(), ids=CASES)
def test_a_difference_says_what_it_is(said, changes):
    assert str(of(with_changes(**changes))) == said


def test_several_differences_are_told_together_and_the_first_number_says_of_what():
    runs = {f"new-{number}": {"host": "gpu-02", "logs": ["/new.log"]} for number in range(2)}
    new = Config.model_validate({**OLD, "runs": {**runs, "moe": {"host": "gpu-01", "logs": ["/m"]}}, "email": None})
    assert str(of(new)) == "2 runs added, 1 removed, 1 changed, mail changed"


def test_a_host_whose_jump_is_another_is_reached_in_another_way_and_one_whose_thresholds_are_is_not():
    jump = of(with_changes(hosts={"bastion": {"port": 2222}}))
    assert (jump.reached, jump.changed) == ({"bastion", "gpu-01"}, set())
    thresholds = of(with_changes(hosts={"gpu-02": {"thresholds": {"slow": "1.3"}}}))
    assert (thresholds.reached, thresholds.changed) == (set(), {"moe"})


def test_each_of_several_jumps_counts():
    hosts = {"gpu-01": {"jump": "bastion, inner"}, "bastion": {}, "inner": {}}
    before, after = with_changes(hosts=hosts), with_changes(hosts=hosts | {"inner": {"port": 22}})
    assert difference(before, after).reached == {"inner", "gpu-01"}


def test_everything_is_new_after_nothing():
    first = difference(Config(), Config.model_validate(OLD))
    assert (first.added, first.sections) == ({"llama", "moe"}, {"email"})
