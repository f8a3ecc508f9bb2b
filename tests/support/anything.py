"""Messages with any text in any field, for tests of what must hold for all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from monitor_core.model.message import Action, Fact, Look, Message, Person, Strong, Time, TimeStyle

NASTY = [
    "<!channel>",
    "<@U012ALICE>",
    "<https://evil.example|click>",
    "&lt;!here&gt;",
    "a```b```c",
    "```",
    "`````",
    "\x1b[31mred\x1b[0m",
    "\x00\x07\u202e\ud800",
    "   ",
    "\n\n",
    "*_~`",
    "&" * 5000,
    "<" * 3000,
    "\n" * 4000,
    '"\\' * 3000,
    "x" * 20_000,
    "🔥" * 2000,
]


def any_text():
    return st.one_of(st.sampled_from(NASTY), st.text(max_size=80), st.text(alphabet='<>&`*\n\\"|^!@', max_size=400))


def any_spans(depth=1):
    times = st.builds(Time, st.floats(0, 4e9), st.sampled_from(TimeStyle))
    people = st.builds(Person, st.one_of(any_text(), st.just("U012ALICE"), st.just("S012ONCALL")), st.booleans())
    spans = [any_text(), times, people]
    if depth:
        spans.append(st.builds(Strong, any_spans(0)))
    return st.lists(st.one_of(*spans), max_size=4).map(tuple)


def any_message():
    """Return a strategy for messages of which no field can be trusted."""
    return st.builds(
        Message,
        incident=st.integers(0, 10**9),
        run=any_text(),
        look=st.sampled_from(Look),
        headline=any_text(),
        sentence=any_spans(),
        fallback=any_spans(),
        subject=any_text(),
        state=any_text(),
        severity=any_text(),
        members_title=any_text(),
        members=st.lists(st.builds(Fact, any_text(), any_spans()), max_size=12).map(tuple),
        facts=st.lists(st.builds(Fact, any_text(), any_spans(), st.booleans()), max_size=12).map(tuple),
        excerpt_title=any_text(),
        excerpt=st.lists(any_text(), max_size=5).map(tuple),
        hint=any_text(),
        note=any_spans(),
        late=any_spans(),
        actions=st.lists(st.sampled_from(Action), max_size=6).map(tuple),
        context=any_spans(),
    )
