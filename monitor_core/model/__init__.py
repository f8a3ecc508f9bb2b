"""The words of the house as values: what is read, judged, told and answered."""
