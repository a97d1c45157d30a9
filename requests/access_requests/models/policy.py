"""What policy asks for around a request: the facts it was decided on, other systems' answers, reviews afterwards."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from access_requests.choices import CallState, RequestState, ReviewState
from access_requests.models.requests import AccessRequest
from accounts.models import User
from flows.models import Webhook

_DUE = models.Q(state=ReviewState.DUE)
_WAITING = models.Q(state=CallState.WAITING)


class AskedFacts(models.Model):
    """The facts of one ask, as the decision looked at them (flows.decision.replay): what-if decides on them again.

    One row for all requests that an ask became.
    """

    id = models.BigAutoField(primary_key=True)
    asked_at = models.DateTimeField(default=timezone.now)
    facts = models.JSONField()
    requests = models.ManyToManyField(AccessRequest, related_name="asked_facts")

    class Meta:
        """Read by period."""

        default_permissions = ()
        # What-if reads the last 90 days; older ones are deleted.
        indexes = [models.Index(fields=["asked_at"], name="requests_asked_facts_at")]

    def __str__(self) -> str:
        """Number it."""
        return f"facts {self.pk}"


class WebhookCall(models.Model):
    """One question to another system about a request: a check before anybody is asked, or an approver's part."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="webhook_calls")
    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="calls")
    # The webhook's document when it was asked, without secrets.
    asked = models.JSONField()
    # As an approver: the index of the approver group and its tier; empty for a check.
    group_index = models.PositiveSmallIntegerField(null=True, blank=True)
    tier = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    # Until when the process that sends it has it alone.
    leased_until = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    # What the person reads; the answer's text is not kept: it may hold secrets.
    message = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A webhook is asked once as each."""

        default_permissions = ("view",)
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "webhook", "group_index"],
                condition=models.Q(group_index__isnull=False),
                name="requests_webhook_approver_once",
            ),
            models.UniqueConstraint(
                fields=["request", "webhook"],
                condition=models.Q(group_index__isnull=True),
                name="requests_webhook_check_once",
            ),
            models.CheckConstraint(
                condition=(_WAITING & models.Q(answered_at__isnull=True))
                | (~_WAITING & models.Q(answered_at__isnull=False)),
                name="requests_webhook_call_answered_says_when",
            ),
        ]
        # The sweep that sends.
        indexes = [models.Index(fields=["due_at"], name="requests_webhook_call_due", condition=_WAITING)]

    def __str__(self) -> str:
        """Name both."""
        return f"{self.webhook_id} on AR-{self.request_id}"

    @property
    def name(self) -> str:
        """The webhook's name as it was when it was asked."""
        return str(self.asked.get("name", ""))

    def is_asked_in(self, state: str) -> bool:
        """Whether an answer is waited for while the request is in `state`: checks first, approvers afterwards."""
        when = RequestState.INITIALIZING if self.group_index is None else RequestState.PENDING
        return self.state == CallState.WAITING and state == when


class Review(models.Model):
    """What break-glass access owes afterwards: somebody looks at it and says whether it was right."""

    request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="review")
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.DUE)
    created_at = models.DateTimeField(default=timezone.now)
    # From then on it is late, and told again every day.
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    reviewer = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="reviews")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        """Whoever broke the glass does not review it; what is decided says by whom, when and why."""

        default_permissions = ("view",)
        ordering = ["due_at"]
        constraints = [
            models.CheckConstraint(
                condition=(_DUE & models.Q(decided_at__isnull=True, reviewer__isnull=True))
                | (~_DUE & models.Q(decided_at__isnull=False, reviewer__isnull=False) & ~models.Q(note="")),
                name="requests_review_says_who_and_why",
            )
        ]
        # Reviews that are owed: the banner, my tasks, the sweep that tells of them.
        indexes = [models.Index(fields=["due_at"], name="requests_reviews_owed", condition=_DUE)]

    def __str__(self) -> str:
        """Name the request."""
        return f"review of AR-{self.request_id}"


class Reviewer(models.Model):
    """Who was told that the glass was broken, and why them: they may review it. No approval waits for them."""

    id = models.BigAutoField(primary_key=True)
    review = models.ForeignKey(Review, models.PROTECT, related_name="reviewers")
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    why = models.CharField(max_length=300, help_text="Why this person may review it, in words.")

    class Meta:
        """Named once; the reader's reviews are found by the person."""

        default_permissions = ()
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["review", "person"], name="requests_reviewer_once")]

    def __str__(self) -> str:
        """Name the person."""
        return f"{self.person_id} may review {self.review_id}"
