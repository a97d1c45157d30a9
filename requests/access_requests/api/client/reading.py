"""The shape of what clients send. Rules are the actions'; what is in neither is not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from access_requests.api.states import WORDS, states_of
from access_requests.forms import JUSTIFICATION_MAX, MAX_SECONDS
from access_requests.offering import Narrow
from access_requests.queries.client import MINE, SCOPES
from flows.decision.fields import ANSWER_MAX

LIMIT, LIMIT_MAX = 100, 1000
# Further down nobody reads; another word finds it sooner.
SKIP_MAX = 100_000
TEXT_MAX, ID_MAX, IDS_MAX, FIELDS_MAX = 200, 700, 1000, 200
Read = TypeVar("Read", bound=serializers.Serializer[Any])


class TextList(serializers.ListField):
    """Several values in a query: the parameter repeated, or once with commas between."""

    def __init__(self, *, split: bool = True, **kwargs: Any) -> None:
        """Say whether commas divide; where ids may have commas in them they do not."""
        child = serializers.CharField(max_length=ID_MAX, allow_blank=True)
        super().__init__(child=child, required=False, max_length=IDS_MAX, **kwargs)
        self.split = split

    def get_value(self, dictionary: Any) -> Any:
        """Take them out of the query, without what is empty."""
        if not isinstance(dictionary, QueryDict):
            return super().get_value(dictionary)
        given = dictionary.getlist(self.field_name or "")
        parts = [part for one in given for part in (one.split(",") if self.split else [one])]
        return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list."""

    limit: int = LIMIT
    skip: int = 0


class PageReader(serializers.Serializer[Any]):
    """`skip` and `limit`. More than LIMIT_MAX is not refused: the answer says how many it kept to."""

    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MAX_SECONDS)
    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=SKIP_MAX)

    @property
    def page(self) -> PageQuery:
        """Which part of the list is asked for."""
        return PageQuery(min(self.validated_data["limit"], LIMIT_MAX), self.validated_data["skip"])


class ScopeReader(PageReader):
    """Whose requests."""

    scope = serializers.ChoiceField(choices=SCOPES, required=False, default=MINE)


class RequestsReader(ScopeReader):
    """Which requests."""

    access_units_summary_limit = serializers.IntegerField(
        required=False, allow_null=True, default=5, min_value=0, max_value=LIMIT_MAX
    )
    favorite_only = serializers.BooleanField(required=False, default=False)
    include_autogrant = serializers.BooleanField(required=False, default=False)
    grantee_ids = TextList()
    requestor_ids = TextList()
    request_ids = TextList()
    statuses = TextList()

    def validate_statuses(self, value: list[str]) -> list[str]:
        """Refuse a word that is no state of the client API."""
        try:
            return [str(state) for state in states_of(value)]
        except KeyError as wrong:
            raise serializers.ValidationError(f"There is no status {wrong}; there are {', '.join(WORDS)}.") from None


class OneRequestReader(serializers.Serializer[Any]):
    """How much of a request."""

    access_units_summary_limit = serializers.IntegerField(
        required=False, allow_null=True, default=5, min_value=0, max_value=LIMIT_MAX
    )


class SessionsReader(PageReader):
    """Which sessions."""

    bundle_id = TextList()
    credentials_id = TextList()
    include_disconnected = serializers.BooleanField(required=False, default=False)
    integration_id = TextList()
    integration_types = TextList()
    request_id = TextList()
    search = serializers.CharField(required=False, allow_blank=True, default="", max_length=TEXT_MAX)
    session_types = TextList()
    status = TextList()


class SessionGroupsReader(SessionsReader):
    """Which sessions, and how many of each integration."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the one parameter whose name Python cannot spell."""
        size = serializers.IntegerField(required=False, default=10, min_value=1, max_value=LIMIT_MAX)
        return {**super().get_fields(), "sessions-page-size": size}


class DetailsReader(serializers.Serializer[Any]):
    """For which surface the details to connect are, and in which form it wants them."""

    consumed_by = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    format_type = serializers.CharField(required=False, allow_blank=True, default="", max_length=20)


class InventoryReader(PageReader):
    """What of the inventory. Each address has some of these; what it does not know it does not look at."""

    grantee_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=254)
    grantee_type = serializers.CharField(required=False, allow_blank=True, default="", max_length=20)
    session_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    search = serializers.CharField(required=False, allow_blank=True, default="", max_length=TEXT_MAX)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the parameters whose names Python cannot spell. Ids of the targets' own may have commas in them."""
        lists: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            name: TextList()
            for name in ("integration-id", "integration-ids", "resource-type-id", "resource-type-ids", "bundle-ids")
        }
        whole = {name: TextList(split=False) for name in ("resource-ids", "permission-ids", "source-id")}
        text = serializers.CharField(required=False, allow_blank=True, default="", max_length=TEXT_MAX)
        return {**super().get_fields(), **lists, **whole, "permission-search": text}

    @property
    def narrow(self) -> Narrow:
        """What is looked for."""
        data = self.validated_data
        return Narrow(
            integrations=(*data.get("integration-id", ()), *data.get("integration-ids", ())),
            types=(*data.get("resource-type-id", ()), *data.get("resource-type-ids", ())),
            resources=(*data.get("resource-ids", ()), *data.get("source-id", ())),
            permissions=tuple(data.get("permission-ids", ())),
            bundles=tuple(data.get("bundle-ids", ())),
            text=data["search"],
            permission_text=data.get("permission-search", ""),
        )


class OptionsReader(ScopeReader):
    """Values of what."""

    key = serializers.CharField(max_length=60)
    search = serializers.CharField(required=False, allow_blank=True, default="", max_length=TEXT_MAX)


def _ids() -> serializers.ListField:
    child = serializers.CharField(max_length=ID_MAX)
    return serializers.ListField(child=child, required=False, allow_null=True, default=list, max_length=IDS_MAX)


def _answers() -> serializers.DictField:
    child = serializers.CharField(max_length=ANSWER_MAX, allow_blank=True)
    return serializers.DictField(child=child, required=False, allow_null=True, default=dict)


class ResourceFilterReader(serializers.Serializer[Any]):
    """A resource by id, or resources by a text."""

    type = serializers.ChoiceField(choices=["id", "search_term"])
    value = serializers.CharField(max_length=ID_MAX)


class AskReader(serializers.Serializer[Any]):
    """A new request. Whether something is missing the policy says. Older clients leave out some of the lists."""

    filter_integration_ids = _ids()
    filter_bundle_ids = _ids()
    filter_resource_type_ids = _ids()
    filter_resource_ids = _ids()
    filter_resources = ResourceFilterReader(many=True, required=False, allow_null=True, default=list)
    filter_permission_ids = _ids()
    filter_access_unit_ids = _ids()
    justification = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, default="", max_length=JUSTIFICATION_MAX
    )
    duration_in_sec = serializers.IntegerField(required=False, allow_null=True, default=None, max_value=MAX_SECONDS)
    custom_fields = _answers()
    # Checks by webhook are part of the policy here: they run whatever a client says.
    run_pre_approval_validations = serializers.BooleanField(required=False, allow_null=True, default=None)
    grantee_id = serializers.CharField(required=False, allow_null=True, allow_blank=True, default="", max_length=254)

    def validate_filter_resources(self, value: list[Any] | None) -> list[Any]:
        """Take nothing for an empty list."""
        if value and len(value) > IDS_MAX:
            raise serializers.ValidationError(f"Name at most {IDS_MAX} resources.")
        return value or []


class AgainReader(serializers.Serializer[Any]):
    """The same once more."""

    justification = serializers.CharField(allow_blank=True, max_length=JUSTIFICATION_MAX)
    custom_fields = _answers()
    run_pre_approval_validations = serializers.BooleanField(required=False, allow_null=True, default=None)


class AnswerReader(serializers.Serializer[Any]):
    """An approver's answer; how long a reason may be is the action's to say."""

    justification = serializers.CharField(required=False, allow_null=True, allow_blank=True, default="")


class FavouriteReader(serializers.Serializer[Any]):
    """Whether to keep it."""

    favorite = serializers.BooleanField()


class TemplateReader(serializers.Serializer[Any]):
    """A template of a request."""

    name = serializers.CharField(max_length=TEXT_MAX)
    type = serializers.ChoiceField(choices=["IntegrationRequest"], required=False, default="IntegrationRequest")
    filter_integration_ids = _ids()
    filter_resource_type_ids = _ids()
    filter_resource_ids = _ids()
    filter_permission_ids = _ids()


class UnitsReader(serializers.Serializer[Any]):
    """Of which requests."""

    request_id = TextList()


def read_query(http: Request, reader: type[Read]) -> Read:
    """Return the query as a reader read it. Raises ValidationError."""
    found = reader(data=http.query_params)
    found.is_valid(raise_exception=True)
    return found


def read_body(http: Request, reader: type[Read]) -> dict[str, Any]:
    """Return the body as a reader read it, with nothing for every null. Raises ValidationError."""
    found = reader(data=http.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
