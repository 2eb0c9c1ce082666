"""`/api/v1/agents/`."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.customers.api import METHODS_OF_PEOPLE
from helpdesk.customers.api_fields import ID
from helpdesk.customers.models import User
from helpdesk.customers.permissions import IsAdminOrReads, agent_of
from helpdesk.events.actors import Actor
from helpdesk.people import actions as people
from helpdesk.people.serializers import AgentSerializer


class AgentViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[User],
):
    """Agents and admins. A new one is invited by mail; one who leaves is made inactive, and is out at once."""

    queryset = User.objects.prefetch_related("teams")
    serializer_class = AgentSerializer
    permission_classes = (IsAdminOrReads,)
    http_method_names = METHODS_OF_PEOPLE
    lookup_value_regex = ID

    @extend_schema(request=None, responses=AgentSerializer)
    @action(detail=True, methods=["post"])
    def invitation(self, request: Request, pk: str) -> Response:
        """Mail the link to set the first password once more."""
        agent = self.get_object()
        try:
            people.invite_again(agent, actor=Actor.agent(agent_of(request)), at=timezone.now())
        except people.NotInvitable as error:
            raise ValidationError(str(error)) from error
        return Response(self.get_serializer(agent).data)

    @extend_schema(request=None, responses=AgentSerializer)
    @action(detail=True, methods=["post"], url_path="login-reset")
    def login_reset(self, request: Request, pk: str) -> Response:
        """Forget a lost second factor and the tie to single sign-on, and end all sessions."""
        agent = self.get_object()
        people.reset_login(agent, actor=Actor.agent(agent_of(request)), at=timezone.now())
        return Response(self.get_serializer(agent).data)
