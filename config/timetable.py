"""The whole timetable: every job that runs by the clock, how often, and why that often.

The database is the truth of what is due; a job looks there and does what it finds, so a run that is missed, doubled or
late loses nothing. Tasks rung in between only make it sooner.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One job: the task's path, the seconds from one ring to the next, and how many of it run at once in a process."""

    task: str
    every: int
    why: str
    at_once: int = 1


TIMETABLE: tuple[Line, ...] = (
    Line("access_requests.tasks.sweep", 2, "Ends what is over, dispatches what was approved: the lag people feel."),
    # A webhook may take a minute to answer, and a second request must not wait for the first one's.
    Line("access_requests.tasks.call_webhooks", 2, "Asks webhooks: somebody waits for a check; retries fall due.", 4),
    # An order may wait for a target that does not answer. Eight may; the other threads stay free to end access in time.
    Line("integrations.tasks.run_orders", 2, "Runs orders of the connector in this process, as they fall due.", 8),
    Line("audit.tasks.seal", 2, "Chains what was written since; until then an entry shows as not sealed."),
    # What waits the longest after an instance died is the lease itself; the sweep after it should not be felt.
    Line("integrations.tasks.sweep_leases", 2, "Gives orders of lost holders to others once their lease is over."),
    Line("accounts.tasks.deliver_changes", 10, "Delivers news of people that was not delivered on commit."),
    Line("integrations.tasks.deliver_changes", 10, "Delivers news of orders and inventory, likewise."),
    Line("flows.tasks.deliver_changes", 10, "Delivers news of policy, likewise: a changed flow ends what it gave."),
    Line("access_requests.tasks.deliver_changes", 10, "Delivers news of requests: letters to those they are about."),
    Line(
        "access_requests.tasks.sweep_letters", 5, "Writes to approvers, and before ends; somebody waits for an answer."
    ),
    # A run ends after twenty seconds and goes on where it was; whoever changes a flow watches its progress.
    Line("access_requests.tasks.sweep_automatic", 5, "Goes on with what automatic flows give and take, step by step."),
    # News does it at once; this finds what no news tells of, like an integration that was switched on again.
    Line("access_requests.tasks.sweep_automatic_flows", 21600, "Looks at everybody for every automatic flow."),
    Line("access_requests.tasks.sweep_escalations", 10, "Asks the next approvers; flows name minutes to wait."),
    # News of people asks at once; this finds what no news tells of, like another owner of a resource.
    Line("access_requests.tasks.sweep_routes", 20, "Asks again whom everything that waits is for."),
    Line("access_requests.tasks.sweep_eligibility", 600, "Has open access asked again that no news asked of."),
    Line("access_requests.tasks.sweep_notices", 15, "Tells other systems of overdue access; an alarm may not wait."),
    Line("access_requests.tasks.sweep_dossiers", 30, "Makes the dossiers of what is over; nobody waits for them."),
    # It is the platform's pulse too: a gap of minutes between two runs makes every sealed envelope a used one.
    Line("access_requests.tasks.sweep_envelopes", 10, "Notes that Latchkey is alive; sees to break-glass envelopes."),
    Line("access_requests.tasks.sweep_reviews", 60, "Reminds of reviews of broken glass that are overdue, once a day."),
    Line("config.tasks.sweep_late_jobs", 60, "Writes to the admins of jobs that are late."),
    Line(
        "accounts.tasks.sweep_letters", 10, "Sends letters: those that were not rung for, and those to be tried again."
    ),
    Line("integrations.tasks.sweep_syncs", 60, "Starts syncs that are due; inventory may be minutes old."),
    # A run ends after twenty seconds and goes on where it was; an admin who said yes watches its progress.
    Line("integrations.tasks.sweep_people", 5, "Takes over what directories told, a hundred people at once."),
    Line("integrations.tasks.sweep_shifts", 20, "Begins and ends what is said of people on shift, to the minute."),
    Line("integrations.tasks.sweep_deletions", 30, "Deletes large integrations in batches; nobody waits for it."),
    # A step asks for a few looks and sees what came of the last ones; runs begin every few hours, but who asks watches.
    Line("access_requests.tasks.sweep_drift", 5, "Looks for drift, a few people at once; begins what is due."),
    Line("access_requests.tasks.sweep_cleanups", 300, "Deletes logins left behind; they are disabled and due in days."),
    # A run ends after twenty seconds and goes on where it was, so two long exports never keep a third person waiting.
    Line("access_requests.tasks.run_exports", 5, "Writes CSV in the background, for people who watch its progress.", 2),
    Line("access_requests.tasks.sweep_reports", 30, "Starts reports by their schedules, which name minutes."),
    Line("access_requests.tasks.sweep_expired_exports", 3600, "Removes exports after a week, or an hour later."),
    Line(
        "accounts.tasks.sweep_leaving", 30, "Disables people from outside who were to leave, which ends their access."
    ),
    Line(
        "access_requests.tasks.sweep_stand_ins", 10, "Asks stand-ins of who is away, and asks them no more afterwards."
    ),
    Line("accounts.tasks.sweep_sessions", 3600, "Deletes sessions that are over, so that the table does not grow."),
    Line("accounts.tasks.sweep_tokens", 3600, "Removes tokens that are long over; they are good for nothing already."),
    Line("accounts.tasks.sweep_old_letters", 3600, "Empties letters of a month ago; nobody waits for that."),
)
