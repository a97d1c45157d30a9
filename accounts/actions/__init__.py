"""The only writers of people and groups: one function per verb, with its permission, audit entry and news inside."""

from accounts.actions.groups import add_member, create_group, delete_group, remove_member, rename_group
from accounts.actions.letters import choose_letters, drop_letter, retry_letter, send_letters, tidy_letters, write_letter
from accounts.actions.people import (
    Keep,
    create_user,
    disable_user,
    edit_profile,
    edit_user,
    enable_user,
    set_attributes,
    set_password,
    set_roles,
    set_theme,
)
from accounts.actions.rules import AlreadyThere, BadValue, InUse, LastAdmin, LinkRefused, NotAllowed, Refused, require
from accounts.actions.sign_in import (
    make_sign_in_link,
    record_failed_sign_in,
    record_sign_in,
    record_sign_out,
    use_sign_in_link,
)
from accounts.letters import Attachment, address_of

__all__ = [
    "AlreadyThere",
    "Attachment",
    "BadValue",
    "InUse",
    "Keep",
    "LastAdmin",
    "LinkRefused",
    "NotAllowed",
    "Refused",
    "add_member",
    "address_of",
    "choose_letters",
    "create_group",
    "create_user",
    "delete_group",
    "disable_user",
    "drop_letter",
    "edit_profile",
    "edit_user",
    "enable_user",
    "make_sign_in_link",
    "record_failed_sign_in",
    "record_sign_in",
    "record_sign_out",
    "remove_member",
    "rename_group",
    "require",
    "retry_letter",
    "send_letters",
    "set_attributes",
    "set_password",
    "set_roles",
    "set_theme",
    "tidy_letters",
    "use_sign_in_link",
    "write_letter",
]
