"""News of requests, written with the move that made them."""

from __future__ import annotations

from django.db import models

from accounts.models import AbstractChange


class Change(AbstractChange):
    """That a request came to where somebody has to be told, or an extension was settled."""

    class Meta(AbstractChange.Meta):
        """The sweep reads what is not delivered."""

        abstract = False
        indexes = [
            # The sweep that delivers.
            models.Index(fields=["id"], name="requests_change_waiting", condition=models.Q(delivered_at__isnull=True))
        ]
