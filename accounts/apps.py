"""The app's name for Django, and what it can record."""

from django.apps import AppConfig

ACTIONS = {
    "user.created": "Created a person",
    "user.edited": "Edited a person",
    "user.profile_edited": "Edited their own profile",
    "user.roles_set": "Set a person's roles",
    "user.disabled": "Disabled a person",
    "user.enabled": "Enabled a person",
    "user.attributes_set": "Set a person's attributes",
    "user.password_set": "Set a password",
    "user.password_removed": "Removed a password",
    "user.link_made": "Made a sign-in link",
    "user.link_used": "Used a sign-in link",
    "user.identity_linked": "Linked single sign-on to a person",
    "user.identity_forgotten": "Removed the link of a person to single sign-on",
    "user.groups_told": "Took over a person's groups from single sign-on",
    "user.factor_added": "Added a second factor",
    "user.factor_removed": "Removed a second factor",
    "user.factors_reset": "Removed all second factors of a person",
    "user.recovery_codes_made": "Made new recovery codes",
    "user.factor_proven": "Proved a second factor",
    "user.factor_refused": "Failed to prove a second factor",
    "user.delegated": "Named a stand-in",
    "user.delegation_ended": "Ended a stand-in",
    "user.invited": "Invited a person from outside",
    "user.link_sent": "Had a new sign-in link sent to a person from outside",
    "user.stay_extended": "Extended the stay of a person from outside",
    "user.stay_ended": "Ended the stay of a person from outside",
    "user.taken_over": "Took over a person from outside",
    "user.provisioned": "Made a person that the directory pushed",
    "user.push_linked": "Linked a person to the directory that pushes them",
    "user.pushed": "Took over what the directory says of a person",
    "user.push_forgotten": "Removed the link of a person to the directory",
    "user.many_pushed_out": "Raised the alarm: the directory disabled many people at once",
    "user.signed_in": "Signed in",
    "user.sign_in_failed": "Failed to sign in",
    "user.signed_out": "Signed out",
    "user.sessions_ended": "Ended sessions of a person",
    "group.created": "Created a group",
    "group.renamed": "Renamed a group",
    "group.deleted": "Deleted a group",
    "group.member_added": "Added a member to a group",
    "group.member_removed": "Removed a member from a group",
    "group.pushed": "Took over a group from the directory",
    "group.members_pushed": "Took over the members of a group from the directory",
    "group.push_forgotten": "Removed a group that the directory has no more",
    "service.created": "Created a service",
    "token.issued": "Made a token",
    "token.revoked": "Revoked a token",
    "token.expiry_changed": "Changed when a token ends",
    "client.allowed": "Allowed a command-line client to act for them",
    "client.signed_in": "Signed in by a command-line client",
    "client.reuse_found": "Revoked a command-line client: its code or token was used twice",
    "group.members_told": "A directory said who is in a group",
    "group.kept": "Kept a group that nobody tells of any more",
    "letter.given_up": "Gave up sending a letter",
    "letter.retried": "Had a letter sent again",
}


class AccountsConfig(AppConfig):
    """People."""

    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Declare what can be recorded, and record who signs in."""
        from accounts import trail  # noqa: PLC0415  # needs the models, which are loaded only now
        from accounts.rest import wildcards  # noqa: PLC0415
        from audit.actions import declare  # noqa: PLC0415

        declare(ACTIONS)
        trail.connect()
        wildcards.register()
