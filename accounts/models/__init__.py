"""People, what is known of them and pushed of them, where they are signed in, and the tokens they hold."""

from accounts.models.people import (
    AbstractChange,
    Attribute,
    Change,
    Delegation,
    Group,
    GroupMembership,
    Identity,
    Letter,
    RoleAssignment,
    SignInLink,
    User,
    UserManager,
)
from accounts.models.pushed import PushedGroup, PushedPerson, PushedValue
from accounts.models.sessions import BrowserSession
from accounts.models.tokens import ApiToken, ClientGrant, IdempotentAnswer, RefreshToken

__all__ = [
    "AbstractChange",
    "ApiToken",
    "Attribute",
    "BrowserSession",
    "Change",
    "ClientGrant",
    "Delegation",
    "Group",
    "GroupMembership",
    "IdempotentAnswer",
    "Identity",
    "Letter",
    "PushedGroup",
    "PushedPerson",
    "PushedValue",
    "RefreshToken",
    "RoleAssignment",
    "SignInLink",
    "User",
    "UserManager",
]
