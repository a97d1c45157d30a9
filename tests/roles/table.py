"""What each verb and each page of the desk asks for: a permission of accounts.roles, or who may without one."""

from __future__ import annotations

# A verb that no door calls with somebody's wish: another verb, which has asked, or the platform calls it.
INNER = "inner"
# For oneself, or by being asked, owning, having proposed it: the tests of the verb say who.
RULE = "rule"

VERBS: dict[str, str] = {
    # People
    "accounts.delegations.delegate": "accounts.change_user",
    "accounts.delegations.end_delegation": "accounts.change_user",
    "accounts.factors.add_app": RULE,
    "accounts.factors.add_key": RULE,
    "accounts.factors.remove_factor": RULE,
    "accounts.factors.renew_codes": RULE,
    "accounts.factors.reset_factors": "accounts.change_user",
    "accounts.factors.prove_by_code": RULE,
    "accounts.factors.prove_by_key": RULE,
    "accounts.groups.create_group": "accounts.add_group",
    "accounts.groups.rename_group": "accounts.change_group",
    "accounts.groups.delete_group": "accounts.delete_group",
    "accounts.groups.add_member": "accounts.change_group",
    "accounts.groups.remove_member": "accounts.change_group",
    "accounts.identities.forget_identities": "accounts.change_user",
    "accounts.identities.take_groups": "accounts.change_group",
    "accounts.letters.retry_letter": "accounts.retry_letter",
    "accounts.letters.choose_letters": RULE,
    "accounts.outside.invite": RULE,
    "accounts.outside.send_invitation": RULE,
    "accounts.outside.extend_stay": "accounts.change_user",
    "accounts.outside.end_stay": "accounts.change_user",
    "accounts.outside.take_over": "accounts.change_user",
    "accounts.people.create_user": "accounts.add_user",
    "accounts.people.put_user": INNER,
    "accounts.people.edit_user": "accounts.change_user",
    "accounts.people.edit_profile": RULE,
    "accounts.people.rename_told": INNER,
    "accounts.people.set_theme": RULE,
    "accounts.people.set_roles": "accounts.change_roleassignment",
    "accounts.people.disable_user": "accounts.change_user",
    "accounts.people.shut_out": INNER,
    "accounts.people.enable_user": "accounts.change_user",
    "accounts.people.set_attributes": "accounts.change_attribute",
    "accounts.people.set_password": "accounts.change_user",
    "accounts.sign_in.make_sign_in_link": "accounts.change_user",
    "accounts.rules.require": INNER,
    "accounts.rules.is_self": INNER,
    "accounts.rules.record": INNER,
    # Systems
    "integrations.connectors.rename_connector": "integrations.change_connector",
    "integrations.connectors.delete_connector": "integrations.delete_connector",
    "integrations.deleting.delete": "integrations.delete_integration",
    "integrations.orders.hurry_order": "integrations.retry_order",
    "integrations.secrets.set_secret": INNER,
    "integrations.secrets.refer": INNER,
    "integrations.secrets.reencrypt": INNER,
    "integrations.systems.try_connection": "integrations.add_integration",
    "integrations.systems.connect": "integrations.add_integration",
    "integrations.systems.edit": "integrations.change_integration",
    "integrations.systems.check": "integrations.sync_integration",
    "integrations.systems.sync": "integrations.sync_integration",
    "integrations.systems.disable": "integrations.change_integration",
    "integrations.systems.enable": "integrations.change_integration",
    "integrations.tokens.create_connector": "integrations.add_connector",
    "integrations.tokens.make_token": "integrations.change_connector",
    "integrations.tokens.revoke_token": "integrations.change_connector",
    # Policy
    "flows.applying.apply_policy": INNER,
    "flows.automatic.run_now": "flows.change_accessflow",
    "flows.bundles.define_bundle": "flows.add_bundle",
    "flows.bundles.delete_bundle": "flows.delete_bundle",
    "flows.calling.try_webhook": "flows.add_webhook",
    "flows.carrying.carry": INNER,
    "flows.flows.define": "flows.add_accessflow",
    "flows.flows.save": "flows.change_accessflow",
    "flows.flows.set_active": "flows.change_accessflow",
    "flows.flows.delete": "flows.delete_accessflow",
    "flows.places.put": INNER,
    "flows.proposals.propose": INNER,
    "flows.proposals.accept": "flows.decide_proposal",
    "flows.proposals.refuse": "flows.decide_proposal",
    "flows.proposals.withdraw": RULE,
    "flows.restoring.restore": "flows.change_accessflow",
    "flows.restoring.restore_bundle": "flows.change_bundle",
    "flows.restoring.restore_scope": "flows.change_accessscope",
    "flows.revisions.keep_revision": INNER,
    "flows.rules.add_version": INNER,
    "flows.rules.add_versions": INNER,
    "flows.scopes.define_scope": "flows.add_accessscope",
    "flows.scopes.delete_scope": "flows.delete_accessscope",
    "flows.spaces.define_space": "flows.add_space",
    "flows.spaces.delete_space": "flows.delete_space",
    "flows.spaces.add_member": "flows.add_spacemember",
    "flows.spaces.remove_member": "flows.delete_spacemember",
    "flows.webhooks.define_webhook": "flows.add_webhook",
    "flows.webhooks.delete_webhook": "flows.delete_webhook",
    # Access
    **{
        f"access_requests.{name}": RULE
        for name in (
            *("answers.approve", "answers.approve_less", "answers.reject", "asking.ask", "sending.send"),
            *("credentials.take_credentials", "credentials.reset_credentials", "drifting.grant_again"),
            *("declaring.withdraw_end", "endings.cancel", "endings.hand_back", "endings.revoke"),
            *("envelopes.withdraw", "envelopes.tell_opened", "envelopes.review", "envelopes.print_out"),
            *("exports.export_now", "exports.fetch", "extending.extend", "extending.cancel_extension"),
            *("extending.approve_extension", "extending.reject_extension", "factor.prove_factor"),
            *("favourites.keep_favourite", "favourites.drop_favourite", "reports.save_report"),
            *("reports.change_report", "reports.delete_report", "reports.pause_report", "reports.resume_report"),
            "reviewing.review",
        )
    },
    **{
        f"access_requests.{name}": INNER
        for name in (
            *("beginning.approve_now", "draining.cut_short", "endings.end", "endings.lapse", "grants.conclude"),
            "reviewing.owe_review",
        )
    },
    "access_requests.declaring.propose_end": "requests.decide_declaration",
    "access_requests.declaring.confirm_end": "requests.decide_declaration",
    "access_requests.declaring.refuse_end": "requests.decide_declaration",
    "access_requests.drifting.accept": "requests.decide_driftfinding",
    "access_requests.drifting.adopt": "requests.decide_driftfinding",
    "access_requests.drifting.remove": "requests.decide_driftfinding",
    "access_requests.emergencies.revoke_all": "requests.revoke_everywhere",
    "access_requests.emergencies.freeze": "requests.revoke_everywhere",
    "access_requests.emergencies.thaw": "requests.revoke_everywhere",
    "access_requests.envelopes.prepare": "requests.keep_envelope",
    "access_requests.envelopes.confirm": "requests.keep_envelope",
    "access_requests.envelopes.refuse": "requests.keep_envelope",
    "access_requests.notices.tell_webhook": "flows.change_webhook",
    "access_requests.notices.tell_webhook_no_more": "flows.change_webhook",
    "access_requests.reconciling.look_now": "requests.start_reconcilerun",
    "audit.actions.record": INNER,
}

# What a page of the desk asks for, by the last part of its name: a verb of the model's default permissions, …
USUAL = {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}
# … or what it says here; "post" where it answers nothing else.
PAGES: dict[str, tuple[str, str]] = {
    "accounts_user_away": ("get", "accounts.change_user"),
    "accounts_letter_changelist": ("get", "accounts.read_letter"),
    "accounts_letter_change": ("get", "accounts.read_letter"),
    "accounts_letter_history": ("get", "accounts.read_letter"),
    "integrations_resource_checkquery": ("post", "integrations.view_resource"),
    "integrations_resource_completequery": ("post", "integrations.view_resource"),
    "integrations_connector_rename": ("post", "integrations.change_connector"),
    "integrations_connector_install": ("get", "integrations.view_connector"),
    "integrations_connector_functions": ("get", "integrations.view_connector"),
    "integrations_connector_token": ("post", "integrations.change_connector"),
    "integrations_connector_revoketoken": ("post", "integrations.change_connector"),
    "integrations_order_hurry": ("post", "integrations.retry_order"),
    "integrations_integration_connect": ("get", "integrations.add_integration"),
    "integrations_integration_edit": ("get", "integrations.change_integration"),
    "integrations_integration_status": ("get", "integrations.view_integration"),
    "integrations_integration_press": ("post", "integrations.sync_integration"),
    "flows_accessflow_why": ("get", "flows.view_accessflow"),
    "flows_accessflow_suggest": ("get", "flows.change_accessflow"),
    "flows_accessflow_automatic": ("get", "flows.view_accessflow"),
    "flows_accessflow_switch": ("get", "flows.change_accessflow"),
    "flows_accessflow_code": ("get", "flows.view_accessflow"),
    "flows_space_members": ("post", "flows.add_spacemember"),
    "flows_space_dismiss": ("post", "flows.delete_spacemember"),
    "flows_proposal_accept": ("post", "flows.decide_proposal"),
    "flows_proposal_refuse": ("post", "flows.decide_proposal"),
    "requests_driftfinding_look": ("post", "requests.start_reconcilerun"),
    "requests_driftfinding_decide": ("post", "requests.decide_driftfinding"),
    "requests_overduewebhook_changelist": ("get", "requests.view_overduewebhook"),
    "requests_overduewebhook_add": ("get", "flows.change_webhook"),
    "requests_overduewebhook_delete": ("get", "flows.change_webhook"),
    "requests_accessrequest_revoke": ("get", "requests.revoke_accessrequest"),
    **{f"flows_{model}_compare": ("get", f"flows.view_{model}") for model in ("accessflow", "bundle", "accessscope")},
    **{f"flows_{model}_restore": ("get", f"flows.change_{model}") for model in ("accessflow", "bundle", "accessscope")},
    "roles": ("get", "accounts.view_user"),
    "first_steps": ("get", "integrations.add_integration"),
    "resume_steps": ("post", "integrations.add_integration"),
    "skip_step": ("post", "integrations.add_integration"),
}
# Whoever may enter the desk; each shows only what its reader may see.
DESK = {"index", "login", "logout", "password_change", "password_change_done", "jsi18n", "app_list"}
# Of the admin site itself: there is nothing behind them here.
EMPTY = {"autocomplete", "view_on_site", "(?P<url>.*)$", "<path:object_id>/"}
# Only who proposed it.
RULED = {"flows_proposal_withdraw"}
# What nobody makes or deletes by hand: refused to every role.
NEVER = {"proposal", "letter", "auditentry", "resource", "connectorinstance", "order", "driftfinding"}
NEVER |= {"accesssession", "approval", "transition", "standingrecord", "proof", "accessrequest"}
NEVER_DELETED = {"user"}
