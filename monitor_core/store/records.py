"""Rows to values and back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row

from monitor_core.model.deliveries import Delivery, DeliveryState, Reason, Receiver
from monitor_core.model.incidents import Incident, IncidentState, Kind, Mute, Severity, Subject
from monitor_core.model.records import LogCursor


def incident(row: Row[Any]) -> Incident:
    """Return the incident of a row."""
    return Incident(
        subject=Subject.parse(row.subject),
        kind=Kind(row.kind),
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        starts_at=row.starts_at,
        facts=json.loads(row.facts),
        detail=row.detail,
        number=row.number,
        fired_at=row.fired_at,
        ends_at=row.ends_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        muted=row.muted,
        held=row.held,
        told_for=row.told_for,
        false_alarm_by=row.false_alarm_by,
        false_alarm_at=row.false_alarm_at,
    )


def incident_values(incident: Incident) -> dict[str, Any]:
    """Return the columns of an incident, without its number."""
    return {
        "subject": str(incident.subject),
        "kind": str(incident.kind),
        "severity": str(incident.severity),
        "state": str(incident.state),
        "starts_at": incident.starts_at,
        "facts": json.dumps(dict(incident.facts)),
        "detail": incident.detail,
        "fired_at": incident.fired_at,
        "ends_at": incident.ends_at,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": incident.acknowledged_at,
        "muted": incident.muted,
        "held": incident.held,
        "told_for": incident.told_for,
        "false_alarm_by": incident.false_alarm_by,
        "false_alarm_at": incident.false_alarm_at,
    }


def delivery(row: Row[Any]) -> Delivery:
    """Return the delivery of a row."""
    return Delivery(
        key=row.key,
        incident=row.incident,
        receiver=Receiver(row.notifier, row.target),
        reason=Reason(row.reason),
        state=DeliveryState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        number=row.number,
        attempts=row.attempts,
        last_error=row.last_error,
        ref=row.ref,
        fallback_for=row.fallback_for,
        repeat=row.repeat,
        sent_at=row.sent_at,
    )


def delivery_values(delivery: Delivery) -> dict[str, Any]:
    """Return the columns of a delivery, without its number."""
    return {
        "key": delivery.key,
        "incident": delivery.incident,
        "notifier": delivery.receiver.notifier,
        "target": delivery.receiver.target,
        "reason": str(delivery.reason),
        "state": str(delivery.state),
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "ref": delivery.ref,
        "fallback_for": delivery.fallback_for,
        "repeat": delivery.repeat,
        "sent_at": delivery.sent_at,
    }


def mute(row: Row[Any]) -> Mute:
    """Return the mute of a row."""
    return Mute(
        number=row.number,
        subject=Subject.parse(row.subject) if row.subject else None,
        kind=Kind(row.kind) if row.kind else None,
        until=row.until,
        by=row.by,
        created_at=row.created_at,
        reason=row.reason,
        ended_at=row.ended_at,
    )


def cursor(row: Row[Any]) -> LogCursor:
    """Return the log cursor of a row."""
    return LogCursor(
        row.path, row.identity, row.offset, row.fingerprint, row.partial, mtime=row.mtime, real_path=row.real_path
    )
