"""The configuration: YAML in, frozen models out, every problem at once."""
