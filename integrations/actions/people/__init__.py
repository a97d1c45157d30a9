"""People from outside: what directories and shift schedules tell, read, judged and taken over."""
