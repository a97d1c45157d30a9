"""The top floor: settings, addresses, processes, the timetable. Imported by nobody."""
