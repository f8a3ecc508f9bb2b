"""How trainstatus itself does → an answer (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot import messages
from bot.answers import Answer, Offer, answer, facts, listed, offers, said
from bot.blocks import context, escape, header
from monitor_core.model.incidents import KINDS
from monitor_core.model.message import Fact, Strong, Text, Time
from monitor_core.model.views import Health, ReceiverHealth, Running
from monitor_core.units import duration

_ERROR = 200  # characters of an error that are shown
_LATE = 1.0  # seconds; less is no news


def health_page(view: Health) -> Answer:
    """Say who is on duty, how hosts and deliveries do, and what troubles trainstatus itself."""
    waiting = sum(each.waiting for each in view.receivers)
    plain = f"{_hosts(view)}; {waiting or 'no'} deliveries wait; {len(view.incidents) or 'no'} troubles of its own."
    lists = (_troubles(view), _silent(view), _receivers(view))
    return answer(
        escape(f"trainstatus {view.version}: {plain}"),
        header(f"trainstatus {view.version}"),
        facts(_facts(view), view.now),
        *(block for lines in lists for block in listed([said(line, view.now) for line in lines])),
        offers(Offer("Refresh", "bot", refresh=True)),
        context(messages.data_age(view.seen_at, view.now).capitalize()),
    )


def _facts(view: Health) -> Iterable[Fact]:
    running = view.running
    if running is not None:
        yield Fact("Up", ("since ", messages.minute(running.started_at)))
    yield Fact("On duty", _duty(view))
    for link in running.links if running is not None else ():
        yield Fact(link.name, (f"{'connected' if link.open else 'not connected'} since ", Time(link.since)))
    yield Fact("Hosts", (_hosts(view), *(_late(running) if running is not None else ())))
    for notifier in dict.fromkeys(each.notifier for each in view.receivers):
        yield Fact(f"To {notifier}", _queue([each for each in view.receivers if each.notifier == notifier], view.now))
    yield Fact("Database", (f"{view.database_bytes / 2**20:.1f} MiB",))


def _duty(view: Health) -> Text:
    if view.lease_until is None:
        return ()
    if view.on_duty:
        return (view.holder,)
    return ("nobody since ", messages.minute(view.lease_until), f", last {view.holder}")


def _hosts(view: Health) -> str:
    return f"{sum(host.answers for host in view.hosts)} of {len(view.hosts)} hosts answer"


def _late(running: Running) -> Text:
    if not running.lags:
        return ()
    host = max(running.lags, key=lambda name: running.lags[name])
    lag = running.lags[host]
    return (f", polls are {duration(lag)} late at most ({host})" if lag >= _LATE else ", all polls in time",)


def _queue(receivers: list[ReceiverHealth], now: float) -> Text:
    """Say what waits for a notifier, and when the other side last gave an answer."""
    oldest = min((each.oldest_at for each in receivers if each.oldest_at is not None), default=None)
    waiting = sum(each.waiting for each in receivers)
    answers = [at for each in receivers for at in (each.sent_at, each.failed_at) if at is not None]
    waits = "nothing waits" if oldest is None else f"{waiting} waiting, the oldest for {duration(now - oldest)}"
    return (waits, *((", last answer ", Time(max(answers))) if answers else (", nothing sent yet",)))


def _receivers(view: Health) -> Iterator[Text]:
    for each in view.receivers:
        sent: Text = ("nothing sent yet",) if each.sent_at is None else ("sent ", Time(each.sent_at))
        failed: Text = ()
        if each.failed_at is not None:
            failed = (" · failed ", Time(each.failed_at), f": {each.error[:_ERROR]}")
        yield (Strong((f"{each.notifier}:{each.target}",)), "  ", *sent, *failed)


def _silent(view: Health) -> Iterator[Text]:
    for host in view.hosts:
        if not host.answers:
            why = host.error[:_ERROR] if host.error else "not looked at yet"
            yield (Strong((host.name,)), f"  gives no answer: {why}")


def _troubles(view: Health) -> Iterator[Text]:
    for incident in view.incidents:
        what = f": {incident.said('what')}" if incident.said("what") else ""
        since = Strong((f"{KINDS[incident.kind].word} since ", messages.minute(incident.starts_at)))
        yield (since, f" (incident {incident.number}){what}")
