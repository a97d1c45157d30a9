"""When somebody who answers for people from outside is disabled, the admins hear of it."""

from __future__ import annotations

from datetime import datetime

from accounts.actions.letters import write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import User
from accounts.queries import admins, invited_by

_SHOWN = 20


def tell_admins_of_outside(inviter: User, *, at: datetime) -> None:
    """Write to the admins of the people that `inviter` answered for, if there are any. In the caller's transaction."""
    left = invited_by(inviter).filter(is_active=True)
    total = left.count()
    if not total:
        return
    people = [{"who": f"{one.name}, {one.email}", "until": one.leaves_at} for one in left[:_SHOWN]]
    context = {
        "inviter": f"{inviter.name}, {inviter.email}",
        "people": people,
        "more": total - len(people),
        "url": f"{address_of('admin:accounts_user_changelist')}?is_outside__exact=1",
    }
    subject = f"Nobody answers for {total} {'person' if total == 1 else 'people'} from outside any more"
    key = f"outside:{inviter.pk}:{at:%Y%m%d%H%M%S%f}"
    kind = LetterKind.OUTSIDE
    for admin in admins():
        if admin.pk != inviter.pk:
            write_letter(
                to=admin,
                kind=kind,
                subject=subject,
                template="outside",
                context=context,
                key=f"{key}:{admin.pk}",
                at=at,
            )
