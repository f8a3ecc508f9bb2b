"""The life of an incident, who is told, and what is said."""
