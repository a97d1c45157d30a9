"""A small app for tests of the processes: slow pages and tasks, a web socket, a timetable of its own."""
