"""People in the admin site. Every write goes through accounts.actions: permission, trail and news hold here too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import Group as DjangoGroup
from django.db import transaction
from django.db.models import Count, Model, QuerySet
from django.forms import BaseInlineFormSet, TextInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import actions, asking_first
from accounts.admin.more import MoreOfGroups, MoreOfPeople
from accounts.admin.tokens import TokenAdmin
from accounts.choices import LETTER_LOOKS, GroupSource, LetterState, Role
from accounts.forms import PersonForm, named_group, named_person
from accounts.models import ApiToken, Attribute, Group, GroupMembership, Letter, User
from accounts.regrouping import ended, foretold
from audit.actor import Actor, person
from audit.choices import Source

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
    _AnyInline = InlineModelAdmin[Any, Any]
    _AnyTable = admin.TabularInline[Any, Any]
    _FormSet = BaseInlineFormSet[Any, Any, Any]
else:
    _AnyAdmin, _AnyInline, _AnyTable = admin.ModelAdmin, InlineModelAdmin, admin.TabularInline
    _FormSet = BaseInlineFormSet

# A page with more rows than this is slow to load and dangerous to save.
_MEMBERS_SHOWN = 200

# Our sign-in page, with its rate limit, before the admin site's own; and nothing that looks like people but is not.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.unregister([Authenticator, EmailAddress, DjangoGroup, SocialAccount, SocialApp, SocialToken])
admin.site.register(ApiToken, TokenAdmin)


class _ThroughActions(_AnyAdmin):
    """Writes through the actions; what they refuse is shown as a message, and nothing of that request stays."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add or change."""
        return self._try(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete."""
        return self._try(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """List, and do what was chosen for the ticked rows."""
        return self._try(request, super().changelist_view, *args, **kwargs)

    def _try(self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return cast(HttpResponse, view(request, *args, **kwargs))
        except asking_first.Unsure as unsure:
            return asking_first.ask(request, unsure, {**self.admin_site.each_context(request), "opts": self.opts})
        except actions.Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def save_formset(self, request: HttpRequest, form: Any, formset: _FormSet, change: bool) -> None:
        """Add and remove what was added and removed on the page, and leave alone what others did meanwhile."""
        gone = [one.instance.pk for one in formset.initial_forms if one in formset.deleted_forms or one.has_changed()]
        new = [one.cleaned_data for one in formset.forms if one.has_changed() and one not in formset.deleted_forms]
        save = _save_attributes if formset.model is Attribute else _save_memberships
        save(form.instance, gone, new, _actor(request))
        # The admin site's own history reads these; save() would have set them.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []


class _AttributesOfPerson(_AnyTable):
    """What is known of the person."""

    model = Attribute
    extra = 1

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **rest: Any) -> Any:
        """Name the field, for in a table no label stands beside it."""
        field = super().formfield_for_dbfield(db_field, request, **rest)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name).capitalize()
        return field


class _GroupsOfPerson(_AnyTable):
    """The person's groups, but for those that single sign-on says: they stand with it."""

    model = GroupMembership
    fk_name = "user"
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return what may be changed here."""
        return super().get_queryset(request).filter(group__source=GroupSource.LOCAL)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **rest: Any) -> Any:
        """Take the group by its name."""
        return named_group(widget=TextInput(attrs={"aria-label": "Group, by its name"}))


class _MembersOfGroup(_AnyTable):
    """The group's members."""

    model = GroupMembership
    fk_name = "group"
    extra = 1

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **rest: Any) -> Any:
        """Take the person by their e-mail address."""
        return named_person(widget=TextInput(attrs={"aria-label": "Person, by e-mail address"}))


def _save_attributes(user: User, gone: list[int], new: list[dict[str, Any]], actor: Actor) -> None:
    """Set the person's attributes without those that are gone and with those that are new."""
    pairs = set(user.attributes.exclude(pk__in=gone).values_list("type", "value"))
    actions.set_attributes(user, pairs | {(row["type"], row["value"]) for row in new}, actor=actor)


def _save_memberships(parent: Model, gone: list[int], new: list[dict[str, Any]], actor: Actor) -> None:
    """End and begin memberships."""
    for member in GroupMembership.objects.select_related("group", "user").filter(pk__in=gone):
        actions.remove_member(member.group, member.user, actor=actor)
    for row in new:
        actions.add_member(row["group"], row["user"], actor=actor)


def _actor(request: HttpRequest) -> Actor:
    """Return the person at the admin site."""
    return person(request.user, Source.ADMIN)


_TOLD = ("identities_page", "single_sign_on", "directory", "second_factors")


@admin.register(User)
class UserAdmin(MoreOfPeople, _ThroughActions):
    """People. They are disabled, never deleted: the trail and the requests speak of them."""

    form = PersonForm
    inlines = (_GroupsOfPerson, _AttributesOfPerson)
    list_display = ("email", "name", "role_names", "manager", "is_active", "from_outside")
    list_filter = ("is_active", "is_outside", "roles__role")
    search_fields = ("email", "name")
    list_select_related = ("manager", "invited_by")
    readonly_fields = (
        "identities_page",
        "single_sign_on",
        "directory",
        "second_factors",
        "answered_for",
        "away",
        "stood_in",
    )
    actions = ("disable", "enable", "forget_identities", "reset_factors", "take_over")

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return what may be edited, or for who may only look what there is to see."""
        shown = ("email", "name", "manager", "time_zone")
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        told = (
            (
                "identities_page",
                "single_sign_on",
                "directory",
                "second_factors",
                "answered_for",
                "away" if may else "stood_in",
            )
            if obj
            else ()
        )
        if not may:
            return (*shown, "role_names", "is_active", "disabled_at", *told)
        return (*shown, "roles", *(("new_password",) if settings.PASSWORD_SIGN_IN else ()), *told)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read the roles of a page of people at once."""
        return super().get_queryset(request).prefetch_related("roles")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted."""
        return False

    @admin.display(description="roles")
    def role_names(self, user: User) -> str:
        """Return the roles in words."""
        return ", ".join(sorted(str(Role(held.role).label) for held in user.roles.all()))

    @admin.display(description="single sign-on")
    def single_sign_on(self, user: User) -> str:
        """Return whom the identity provider means by this person, and since when."""
        linked = [f"{one} since {one.linked_at:%Y-%m-%d}" for one in user.identities.order_by("issuer")]
        if not linked:
            return "Not linked. The first sign-in links it, by the verified e-mail address."
        groups = user.groups.filter(source=GroupSource.OIDC).order_by("name").values_list("name", flat=True)
        return f"{'; '.join(linked)}. Groups: {', '.join(groups) or 'none'}."

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Create or edit."""
        actor, data = _actor(request), form.cleaned_data
        roles, password = [Role(value) for value in data["roles"]], data.get("new_password") or None
        told = {name: data[name] for name in ("email", "name", "manager", "time_zone")}
        if not change:
            obj.pk = actions.create_user(**told, actor=actor, roles=roles, password=password).pk
            obj._state.adding = False
            return
        actions.edit_user(obj, actor=actor, **told)
        actions.set_roles(obj, roles, actor=actor)
        if password:
            actions.set_password(obj, password, actor=actor)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """End and begin memberships; what follows from that is said first, and then nothing of the page is saved."""
        if change:
            asking_first.look_first(request, asking_first.of_person(form.instance, formsets))
        super().save_related(request, form, formsets, change)
        if change and form.cleaned_data.get("new_password") and form.instance == request.user:
            update_session_auth_hash(request, form.instance)

    @admin.action(description="Disable the chosen people: sign them out and end their access", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Disable all of them or, when one is refused, none."""
        with transaction.atomic():
            for user in queryset:
                actions.disable_user(user, actor=_actor(request))

    @admin.action(description="Enable the chosen people", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Enable all of them."""
        with transaction.atomic():
            for user in queryset:
                actions.enable_user(user, actor=_actor(request))

    @admin.action(description="Unlink the chosen people from single sign-on", permissions=["change"])
    def forget_identities(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Unlink all of them; the next sign-in links anew, by its verified address."""
        with transaction.atomic():
            for user in queryset:
                actions.forget_identities(user, actor=_actor(request))


@admin.register(Group)
class GroupAdmin(MoreOfGroups, _ThroughActions):
    """Groups and, where they are few, their members; those of large groups are edited at the person."""

    fields = ("name",)
    list_display = ("name", "source", "member_count", "external_id", "last_pushed")
    list_select_related = ("pushed",)
    list_filter = ("source",)
    search_fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """A group is changed where it comes from."""
        return super().has_change_permission(request, obj) and (obj is None or obj.source == GroupSource.LOCAL)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Count the members of a page of groups at once."""
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(_members=Count("memberships"))

    def get_inlines(self, request: HttpRequest, obj: Group | None) -> list[type[_AnyInline]]:
        """Return the members where they fit on a page."""
        few = obj is None or GroupMembership.objects.filter(group=obj).count() <= _MEMBERS_SHOWN
        return [_MembersOfGroup] if few else []

    @admin.display(description="members", ordering="_members")
    def member_count(self, group: Any) -> int:
        """Return how many members the group has."""
        return int(group._members)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Rename, and end and begin memberships: one change, and what follows from it is said first."""
        if change:
            name = form.cleaned_data["name"]
            asking_first.look_first(request, asking_first.of_group(form.instance, name, formsets))
            actions.rename_group(form.instance, name, actor=_actor(request))
        super().save_related(request, form, formsets, change)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, with what follows."""
        group = self.get_object(request, object_id)
        told = foretold(ended(group), request.user) if group and self.has_delete_permission(request, group) else []
        return super().delete_view(request, object_id, {**(extra_context or {}), "foretold": told})

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        """Create; what is there is renamed with its members, in save_related."""
        if change:
            return
        obj.pk = actions.create_group(form.cleaned_data["name"], actor=_actor(request)).pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        """Delete one."""
        actions.delete_group(obj, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        """Delete all of the chosen or, when one is refused, none."""
        with transaction.atomic():
            for group in queryset:
                actions.delete_group(group, actor=_actor(request))


@admin.register(Letter)
class LetterAdmin(_AnyAdmin):
    """Letters: to be read by who may, and sent again. Nobody writes one here."""

    list_display = ("created_at", "shown_subject", "address", "kind", "shown_state", "tries", "settled_at")
    list_display_links = ("created_at",)
    list_filter = ("state", "kind")
    search_fields = ("address", "=message_id")
    search_help_text = "A part of the address, or a whole Message-ID."
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    change_form_template = "admin/latchkey/read_only.html"
    actions = ("send_again",)
    fields = (
        *("subject", "to", "address", "kind", "shown_state", "last_error", "tries", "created_at", "next_try"),
        *("settled_at", "expires_at", "message_id", "attachment_name", "shown_text"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Letter]:
        """Leave the bodies out, until a page asks for one."""
        found: QuerySet[Letter] = super().get_queryset(request)
        return found.defer("text", "html", "attachment")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the person finds letters at all."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Letter | None = None) -> bool:
        """Letters tell of requests, so reading them takes more than seeing people."""
        return request.user.has_perm("accounts.read_letter")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Letters come from what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Letter | None = None) -> bool:
        """Nobody rewrites one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Letter | None = None) -> bool:
        """Nobody removes one."""
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the person may have letters sent again; the admin site asks before it offers the action."""
        return request.user.has_perm("accounts.retry_letter")

    @admin.display(description="subject")
    def shown_subject(self, letter: Letter) -> str:
        """Return the subject; names in it are data."""
        return letter.subject

    @admin.display(description="state")
    def shown_state(self, letter: Letter) -> SafeString:
        """Return the state as the portal tells states, and why it waits or was given up."""
        state = LetterState(letter.state)
        tone, icon = LETTER_LOOKS[state]
        shown = render_to_string("portal/_state.html", {"badge": {"tone": tone, "icon": icon, "word": state.label}})
        return format_html('{}<br><span class="meta">{}</span>', shown, letter.last_error)

    @admin.display(description="next try")
    def next_try(self, letter: Letter) -> Any:
        """Return when a waiting letter is tried next."""
        return letter.next_try_at if letter.state == LetterState.QUEUED else None

    @admin.display(description="text")
    def shown_text(self, letter: Letter) -> SafeString | str:
        """Return the text part."""
        return format_html("<pre>{}</pre>", letter.text) if letter.text else "Emptied, a month after it was settled."

    @admin.action(description="Send the chosen letters now", permissions=["retry"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Letter]) -> None:
        """Have those that wait or were given up sent now; the others are left alone."""
        again = sum(actions.retry_letter(letter, actor=_actor(request)) for letter in queryset)
        left = queryset.count() - again
        if again:
            messages.success(request, f"{again} {'letter is' if again == 1 else 'letters are'} due now.")
        if left:
            messages.warning(request, f"{left} of the chosen have left, were dropped or are empty by now.")
