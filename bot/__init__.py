"""The Slack side: commands, buttons and messages on top of `monitor_core`."""
