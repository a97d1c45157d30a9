"""Everything that runs beside a target. No Django anywhere in it."""
