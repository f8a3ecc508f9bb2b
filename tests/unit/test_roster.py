"""The configuration as questions: which hosts lie on the way to a host, and which runs are not seen without one."""

from __future__ import annotations

import pytest

from monitor_core.config.models import Config
from monitor_core.model.incidents import Subject, SubjectKind
from monitor_core.roster import Roster

JUMPS = {
    "gate": "",
    "bastion": "gate",
    "gpu-01": "bastion",
    "gpu-02": "gate,bastion",
    "gpu-03": "192.0.2.9",
    "gpu-04": "none",
}
CONFIG = Config.model_validate(
    {
        "hosts": {name: {"jump": jump} if jump else {} for name, jump in JUMPS.items()},
        "runs": {f"run-{host}": {"host": host, "logs": "/data/a.log"} for host in JUMPS if host.startswith("gpu")},
    }
)
ROSTER = Roster(CONFIG, frozenset())


@pytest.mark.parametrize(
    ("host", "way"),
    [
        ("gate", ["gate"]),
        ("gpu-01", ["gate", "bastion", "gpu-01"]),
        ("gpu-02", ["gate", "bastion", "gpu-02"]),
        ("gpu-03", ["gpu-03"]),
        ("gpu-04", ["gpu-04"]),
        ("unknown", []),
    ],
)
def test_the_way_to_a_host_leads_over_those_that_are_configured(host, way):
    assert ROSTER.way(host) == way


@pytest.mark.parametrize(
    ("host", "behind"),
    [("gate", ["bastion", "gpu-01", "gpu-02"]), ("bastion", ["gpu-01", "gpu-02"]), ("gpu-01", []), ("gpu-04", [])],
)
def test_what_lies_behind_a_host_is_not_seen_without_it(host, behind):
    assert ROSTER.behind(host) == behind
    runs = [f"run-{name}" for name in (host, *behind) if name.startswith("gpu")]
    assert ROSTER.runs_of(Subject(SubjectKind.HOST, host)) == runs
