"""Forms: they validate shape; what may be done is decided by the actions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from allauth.account.forms import LoginForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import transaction
from django.utils import timezone

from accounts import actions, letters, zones
from accounts.choices import LETTERS_TO_CHOOSE, STAFF_SCOPES, GroupSource, LetterKind, Role
from accounts.models import ApiToken, Group, User
from accounts.tokens import useful_scopes
from audit.actor import Actor

if TYPE_CHECKING:
    _PersonModelForm = forms.ModelForm[User]
    _AnyChoice = forms.ModelChoiceField[Any]
else:
    # Generic only for the type checker.
    _PersonModelForm, _AnyChoice = forms.ModelForm, forms.ModelChoiceField


def check_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone."""
    if name not in zones.names():
        raise ValidationError(f"There is no time zone “{name}”; write one such as Europe/Berlin.")


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """E-mail and password, nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say it as everywhere, and tell password managers what is what."""
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail"
        for name, kind in (("login", "username"), ("password", "current-password")):
            self.fields[name].widget.attrs["autocomplete"] = kind
            self.fields[name].widget.attrs.pop("placeholder", None)

    def clean_remember(self) -> bool:
        """Never: allauth would make the session last three weeks, whatever SESSION_COOKIE_AGE says."""
        return False


class ProfileForm(forms.Form):
    """What people say of themselves."""

    name = forms.CharField(max_length=150)
    time_zone = forms.CharField(
        max_length=60,
        required=False,
        validators=[check_zone],
        help_text="For example Europe/Berlin; empty means UTC.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )


class LettersForm(forms.Form):
    """Which letters one gets."""

    letters = forms.MultipleChoiceField(
        label="What you get a letter of",
        choices=[(kind.value, kind.label) for kind in LETTERS_TO_CHOOSE],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def off(self) -> set[LetterKind]:
        """The kinds that were not ticked."""
        return set(LETTERS_TO_CHOOSE) - {LetterKind(kind) for kind in self.cleaned_data["letters"]}


class _InZone(forms.Form):
    """A form whose days and times are in the reader's zone."""

    def __init__(self, *args: Any, zone_of: User, **kwargs: Any) -> None:
        """Remember the zone."""
        super().__init__(*args, **kwargs)
        self.zone = letters.zone_of(zone_of)

    def _end_of(self, day: date) -> datetime:
        """Return the last minute of a day."""
        return datetime.combine(day, time(23, 59), tzinfo=self.zone)


def _day(**rest: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **rest)


class AwayForm(_InZone):
    """From when to when one is away, and who is asked as well: whole days."""

    to = forms.EmailField(label="Stand-in", help_text="Their e-mail address.", max_length=254)
    first = _day(label="First day away")
    last = _day(label="Last day away")

    def clean_to(self) -> User:
        """Return the person."""
        found = User.objects.filter(email=str(self.cleaned_data["to"]).lower(), is_active=True).first()
        if found is None:
            raise ValidationError("Nobody here has this e-mail address.")
        return found

    def clean(self) -> dict[str, Any]:
        """Make instants of the days."""
        given = self.cleaned_data
        if "first" in given:
            given["starts_at"] = datetime.combine(given["first"], time(0, 0), tzinfo=self.zone)
        if "last" in given:
            given["ends_at"] = self._end_of(given["last"])
        return given


class TokenEndForm(_InZone):
    """Until when a token lasts: a whole day, or as long as is allowed where the last day allowed ends later."""

    until = _day(label="Until, and including")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the days that are allowed."""
        super().__init__(*args, **kwargs)
        now = timezone.now()
        self.latest = now + timedelta(days=settings.TOKEN_DAYS)
        days = {"min": now.astimezone(self.zone).date(), "max": self.latest.astimezone(self.zone).date()}
        self.fields["until"].widget.attrs |= {name: day.isoformat() for name, day in days.items()}

    def clean(self) -> dict[str, Any]:
        """Make an instant of the day."""
        if day := self.cleaned_data.get("until"):
            last = day == self.latest.astimezone(self.zone).date()
            self.cleaned_data["ends_at"] = min(self._end_of(day), self.latest) if last else self._end_of(day)
        return self.cleaned_data


class TokenForm(TokenEndForm):
    """A token to be made: what for, what it may, until when."""

    name = forms.CharField(label="What is it for?", max_length=100, help_text="For example: my laptop.")
    scopes = forms.MultipleChoiceField(label="What it may", widget=forms.CheckboxSelectMultiple)
    field_order = ["name", "scopes", "until"]

    def __init__(self, *args: Any, zone_of: User, **kwargs: Any) -> None:
        """Offer what the person can make use of."""
        super().__init__(*args, zone_of=zone_of, **kwargs)
        self.fields["scopes"].choices = [(str(scope), scope.label) for scope in useful_scopes(zone_of)]  # type: ignore[attr-defined]
        self.fields["until"].initial = (
            min(timezone.now() + timedelta(days=30), self.latest).astimezone(self.zone).date()
        )


class StayForm(_InZone):
    """Until when somebody from outside may stay: a whole day."""

    until = _day(label="Until, and including")

    def clean(self) -> dict[str, Any]:
        """Make an instant of the day."""
        if "until" in self.cleaned_data:
            self.cleaned_data["leaves_at"] = self._end_of(self.cleaned_data["until"])
        return self.cleaned_data


class InviteForm(StayForm):
    """Somebody from outside to invite."""

    name = forms.CharField(max_length=150)
    email = forms.EmailField(label="E-mail", max_length=254)
    note = forms.CharField(
        max_length=500,
        required=False,
        label="A note, which the letter brings",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    field_order = ("name", "email", "until", "note")


class PasswordForm(forms.Form):
    """One's own new password; who has one already gives it first."""

    current = forms.CharField(
        label="Current password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False
    )
    new = forms.CharField(
        label="New password", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )
    again = forms.CharField(
        label="New password again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Ask `user`."""
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_usable_password():
            del self.fields["current"]

    def clean_current(self) -> str:
        """Refuse a wrong password."""
        if not self.user.check_password(self.cleaned_data["current"]):
            raise ValidationError("This is not your current password.")
        return str(self.cleaned_data["current"])

    def clean_new(self) -> str:
        """Refuse a weak password."""
        validate_password(self.cleaned_data["new"], self.user)
        return str(self.cleaned_data["new"])

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        if "new" in self.cleaned_data and self.cleaned_data["new"] != self.cleaned_data.get("again"):
            self.add_error("again", "The two passwords are not the same.")
        return self.cleaned_data


class NamedField(_AnyChoice):
    """One person by e-mail address, or one group by name: typed, for a list of 20,000 helps nobody."""

    widget = forms.TextInput

    def prepare_value(self, value: Any) -> Any:
        """Return how the field names what it was given: a row, its key, or what was typed."""
        if isinstance(value, UUID) and self.queryset is not None:
            value = self.queryset.filter(pk=value).first()
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        """Return the row. The case of an address says nothing; it is kept in lower case."""
        typed = str(value or "").strip()
        try:
            return super().to_python(typed.lower() if self.to_field_name == "email" else typed)
        except Group.MultipleObjectsReturned:
            raise ValidationError("Several groups have this name. Open the one you mean, or rename it.") from None


def named_person(**rest: Any) -> NamedField:
    """Return a field for a person, by e-mail address."""
    told = {"invalid_choice": "Nobody has this e-mail address. Look it up under People."}
    return NamedField(User.objects.all(), to_field_name="email", error_messages=told, **rest)


def named_group(**rest: Any) -> NamedField:
    """Return a field for a group made here, by name; the others are changed where they come from."""
    told = {"invalid_choice": "No group made here has this name. Look it up under Groups."}
    local = Group.objects.filter(source=GroupSource.LOCAL)
    return NamedField(local, to_field_name="name", error_messages=told, **rest)


class PersonForm(_PersonModelForm):
    """A person in the admin site."""

    email = forms.EmailField(max_length=254)
    manager = named_person(required=False, help_text="An e-mail address.")
    roles = forms.MultipleChoiceField(choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple)
    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep it as it is. A person without a password signs in by link.",
    )

    class Meta:
        """What is stored on the person itself."""

        model = User
        fields = ("email", "name", "manager", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the roles that the person has."""
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and "roles" in self.fields:
            self.initial["roles"] = sorted(self.instance.role_set())
        if "time_zone" in self.fields:
            self.fields["time_zone"].validators.append(check_zone)
        if not settings.PASSWORD_SIGN_IN:
            self.fields.pop("new_password", None)

    def clean_email(self) -> str:
        """Lower the case, which the identity does not have; say who has the address already."""
        email = str(self.cleaned_data["email"]).lower()
        other = User.objects.filter(email=email).exclude(pk=self.instance.pk).first()
        if other is not None:
            raise ValidationError(f"{other.name} already has the address {email}.")
        return email

    def clean_new_password(self) -> str:
        """Refuse a weak password."""
        password = str(self.cleaned_data["new_password"])
        if password:
            validate_password(password, self.instance)
        return password


class ServiceTokenForm(forms.Form):
    """A token for a service: one there is, or a new one with its roles."""

    service = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="A new one", help_text="Its roles are set where people are."
    )
    new_service = forms.CharField(
        label="Name of the new service", max_length=60, required=False, help_text="For example: Terraform."
    )
    roles = forms.MultipleChoiceField(
        label="Roles of the new service", choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    name = forms.CharField(label="What is the token for?", max_length=100)
    scopes = forms.MultipleChoiceField(
        label="What it may",
        choices=[(str(scope), scope.label) for scope in STAFF_SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label="Days it lasts", min_value=1, initial=30)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the services there are."""
        super().__init__(*args, **kwargs)
        services = User.objects.filter(is_service=True, is_active=True).order_by("name")
        self.fields["service"].queryset = services  # type: ignore[attr-defined]
        self.fields["days"].widget.attrs["max"] = settings.TOKEN_DAYS
        self.fields["days"].validators.append(MaxValueValidator(settings.TOKEN_DAYS))

    def clean(self) -> dict[str, Any]:
        """One service, not none and not two."""
        given = self.cleaned_data
        if bool(given.get("service")) == bool(given.get("new_service")):
            self.add_error("new_service", "Choose a service, or name a new one.")
        return given

    def make(self, actor: Actor) -> tuple[ApiToken, str]:
        """Make the service, if it is new, and the token: both or none. Raises Refused."""
        given, now = self.cleaned_data, timezone.now()
        with transaction.atomic():
            service = given["service"]
            if service is None:
                roles = [Role(role) for role in given["roles"]]
                service = actions.create_service(given["new_service"], roles=roles, actor=actor, at=now)
            ends = now + timedelta(days=given["days"])
            return actions.issue_token(
                service, given["name"], scopes=given["scopes"], expires_at=ends, actor=actor, at=now
            )
