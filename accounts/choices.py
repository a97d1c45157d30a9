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


class SpaceRole(models.TextChoices):
    """What a person may do in a space, a part of policy; they hold it there and nowhere else."""

    OWNER = "space_owner", "Space owner"
    MANAGER = "space_manager", "Space manager"


class GroupSource(models.TextChoices):
    """Who says who is in a group. A group is changed where it comes from, and nowhere else."""

    LOCAL = "local", "Latchkey"
    OIDC = "oidc", "Single sign-on"
    PUSHED = "pushed", "Directory (SCIM)"
    DIRECTORY = "directory", "A directory"


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
    PUSHED_OUT = "pushed_out", "The directory disabled many people at once"
    DIRECTORY = "directory", "A directory waits for a yes, or cannot be read"


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
    LetterKind.PUSHED_OUT,
    LetterKind.DIRECTORY,
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


class TokenKind(models.TextChoices):
    """Whom a token acts as, and how it came about."""

    PERSONAL = "personal", "Personal"
    SERVICE = "service", "Service"
    # Got by a command-line client with its person's consent, for an hour at a time.
    CLIENT = "client", "Command line"


class TokenScope(models.TextChoices):
    """What a token may be used for. Its owner's own rights are never widened by it."""

    SESSIONS_READ = "end_user:access_sessions:read", "See your access and its connection details"
    SESSIONS_WRITE = "end_user:access_sessions:write", "Reset credentials of your access"
    REQUESTS_READ = "end_user:access_requests:read", "See your requests and approvals"
    REQUESTS_WRITE = "end_user:access_requests:write", "Ask for access, answer and end it"
    INVENTORY_READ = "end_user:inventory:read", "See what can be asked for"
    ANALYTICS_WRITE = "end_user:analytics:write", "Send usage data (it is dropped)"
    MCP = "end_user:mcp", "Work as an assistant's tool"
    TOKENS_READ = "end_user:tokens:read", "See your tokens, never their text"
    TOKENS_WRITE = "end_user:tokens:write", "Make and revoke tokens of yours"
    ADMIN_READ = "admin:read", "Read what you may read as an administrator"
    FLOWS_WRITE = "admin:flows:write", "Change flows, bundles and scopes"
    INTEGRATIONS_WRITE = "admin:integrations:write", "Change integrations and webhooks"
    PEOPLE_WRITE = "admin:people:write", "Change people and groups"
    CONNECTORS_WRITE = "admin:connectors:write", "Change connectors"
    REQUESTS_ADMIN = "admin:access_requests:write", "Take access away that you may take away as an administrator"
    SCIM = "scim", "Push people and groups (SCIM)"


END_USER_SCOPES = tuple(scope for scope in TokenScope if scope.startswith("end_user:"))
# They need a role beyond "grantee" to be good for anything.
STAFF_SCOPES = tuple(scope for scope in TokenScope if scope not in END_USER_SCOPES)
