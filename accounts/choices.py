"""Roles, where groups come from, why a sign-in is refused, kinds of news, kinds and states of letters."""

from datetime import timedelta

from django.db import models


class Role(models.TextChoices):
    """What a person may do in Latchkey itself; what each may is in accounts.roles."""

    ADMIN = "admin", "Admin"
    POWER_USER = "power_user", "Power user"
    DEPLOYMENT = "deployment", "Deployment"
    VIEWER = "viewer", "Viewer"
    GRANTEE = "grantee", "Grantee"


class GroupSource(models.TextChoices):
    """Who says who is in a group. A group is changed where it comes from, and nowhere else."""

    LOCAL = "local", "Latchkey"
    OIDC = "oidc", "Single sign-on"


class SignInRefusal(models.TextChoices):
    """Why a sign-in by the identity provider came to nothing."""

    # What the provider says of the person.
    NO_EMAIL = "no_email", "no e-mail address"
    UNVERIFIED = "unverified", "e-mail address not verified"
    # What we know of the person.
    UNKNOWN = "unknown", "unknown person"
    TAKEN = "taken", "address linked to another account of the provider"
    DISABLED = "disabled", "disabled"
    FOREIGN = "foreign", "address of a domain the provider does not vouch for"
    ANOTHER = "another", "another account of the provider than this person’s"
    # What came of the exchange.
    STALE = "stale", "not begun here, used already or too late"
    BAD_ANSWER = "bad_answer", "answer of the provider not to be used"
    CANCELLED = "cancelled", "given up at the provider"
    UNREACHABLE = "unreachable", "provider does not answer"
    NOT_PROVEN = "not_proven", "the provider did not prove what was asked of it"


# Not a word about a person, and anybody can cause them at any time: they go to the log, not to the trail.
NOT_RECORDED = frozenset({SignInRefusal.STALE, SignInRefusal.CANCELLED, SignInRefusal.UNREACHABLE})


class SessionEnd(models.TextChoices):
    """How a session in a browser ended, in the words of the page that lists them."""

    SIGNED_OUT = "signed_out", "signed out"
    ENDED = "ended", "ended on another device"
    BY_ADMIN = "by_admin", "ended by an admin"
    REPLACED = "replaced", "signed in again"
    IDLE = "idle", "nothing was done for too long"
    TIME = "time", "its time was over"
    PASSWORD = "password", "the password changed"
    DISABLED = "disabled", "the account was disabled"
    PROVIDER = "provider", "ended at the identity provider"


# One success with a second factor counts for an hour.
FACTOR_LASTS = timedelta(hours=1)


class Theme(models.TextChoices):
    """How pages look to a person; the system's own unless they say otherwise."""

    SYSTEM = "", "System"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class ChangeKind(models.TextChoices):
    """News of people and groups; the payload's `users` lists the ids of the people affected."""

    PERSON_DISABLED = "person.disabled", "A person was disabled"
    PERSON_ENABLED = "person.enabled", "A person was enabled"
    # Address, manager or attributes: what policy asks about.
    PERSON_CHANGED = "person.changed", "What is known of a person changed"
    GROUP_CHANGED = "group.changed", "A group was renamed or deleted, or its members changed"


class LetterKind(models.TextChoices):
    """What a letter is about, in the words of the account page, where people choose what they get."""

    APPROVAL = "approval", "A request waits for your approval"
    OPENED = "opened", "Access you asked for is active"
    REFUSED = "refused", "Your request was rejected, lapsed or failed"
    ENDING = "ending", "Your access ends soon"
    ENDED = "ended", "Your access has ended"
    GLASS = "glass", "The glass was broken, or a review of it is owed"
    OVERDUE = "overdue", "An end is overdue"
    DRIFT = "drift", "A target is otherwise than it should be"
    JOBS = "jobs", "A job of the timetable is late"
    REPORT = "report", "A report you asked for"
    SECURITY = "security", "Your second factors changed"
    INVITATION = "invitation", "You are invited"
    OUTSIDE = "outside", "Nobody answers for people from outside any more"
    PROPOSAL = "proposal", "A change of policy waits for a second yes"
    ENVELOPE = "envelope", "A break-glass envelope needs an admin"


# What everybody may choose not to get.
LETTERS_TO_CHOOSE = (
    LetterKind.APPROVAL,
    LetterKind.OPENED,
    LetterKind.REFUSED,
    LetterKind.ENDING,
    LetterKind.ENDED,
)
# What admins get in any case: access that does not end, or came from elsewhere, is theirs to see to.
LETTERS_TO_ADMINS = (
    LetterKind.OVERDUE,
    LetterKind.DRIFT,
    LetterKind.JOBS,
    LetterKind.OUTSIDE,
    LetterKind.PROPOSAL,
    LetterKind.ENVELOPE,
)


class LetterState(models.TextChoices):
    """How far a letter has come."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"
    DROPPED = "dropped", "Not needed any more"


LETTERS_WAITING = (LetterState.QUEUED, LetterState.SENDING)
# Tone and icon, as the badge takes them.
LETTER_LOOKS: dict[LetterState, tuple[str, str]] = {
    LetterState.QUEUED: ("wait", "hourglass"),
    LetterState.SENDING: ("move", "spinner"),
    LetterState.SENT: ("good", "ok"),
    LetterState.FAILED: ("bad", "stop"),
    LetterState.DROPPED: ("quiet", "ban"),
}
