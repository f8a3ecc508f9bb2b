"""The monitor: reads training logs, judges them, keeps incidents and delivers alerts. Knows nothing of Slack."""

__version__ = "0.1.0"
