"""Who is in the user groups that are operators; asked from Slack, kept for five minutes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from http.client import HTTPException

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot import messages
from monitor_core.errors import CommandError

KEPT = 300.0  # seconds: a person put into or out of a group waits this long at most
_log = logging.getLogger(__name__)


class Groups:
    """The members of some user groups."""

    def __init__(self, client: WebClient, groups: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._groups = sorted(groups)
        self._clock = clock
        self._members: frozenset[str] = frozenset()
        self._good_until = float("-inf")

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of the groups."""
        return frozenset(self._groups)

    def members(self) -> frozenset[str]:
        """Return the people of all groups; raise CommandError if Slack does not say (nobody is let in by guessing)."""
        if self._groups and self._clock() >= self._good_until:
            self._members = frozenset(user for group in self._groups for user in self._ask(group))
            self._good_until = self._clock() + KEPT
        return self._members

    def _ask(self, group: str) -> list[str]:
        try:
            users: list[str] = self._client.usergroups_users_list(usergroup=group)["users"]
        except (SlackClientError, HTTPException, OSError) as trouble:
            reason = trouble.response["error"] if isinstance(trouble, SlackApiError) else type(trouble).__name__
            _log.warning("cannot ask Slack who is in the group %s: %s", group, reason)
            raise CommandError(messages.groups_unknown(group)) from trouble
        return users
