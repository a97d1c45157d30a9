"""Many requests at once: filters read from an address, figures, the fields of a report, CSV, schedules."""
