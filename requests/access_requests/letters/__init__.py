"""What letters say of requests: each function returns a subject and the plain data its template takes."""

from access_requests.letters.answering import Said, ended, ending, extended, opened, refused
from access_requests.letters.asking import Task, asking, tasks_of_extensions, tasks_of_requests
from access_requests.letters.drifted import drifted
from access_requests.letters.glass import broken, review_owed, reviewed
from access_requests.letters.warning import overdue

__all__ = [
    "Said",
    "Task",
    "asking",
    "broken",
    "drifted",
    "ended",
    "ending",
    "extended",
    "opened",
    "overdue",
    "refused",
    "review_owed",
    "reviewed",
    "tasks_of_extensions",
    "tasks_of_requests",
]
