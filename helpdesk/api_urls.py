"""Everything below `/api/`."""

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from helpdesk.api_docs import docs
from helpdesk.api_errors import NothingHere
from helpdesk.conversations import api as conversations
from helpdesk.conversations import api_handling as handling
from helpdesk.conversations import api_links as links
from helpdesk.conversations import api_messages as messages
from helpdesk.customers import api as customers
from helpdesk.customers import api_audit as audit
from helpdesk.customers.api_fields import IdConverter
from helpdesk.events import api as events
from helpdesk.oncall import api as oncall
from helpdesk.oncall import api_escalation as escalation
from helpdesk.people import api as people
from helpdesk.sla import api as sla
from tickets import api as tickets
from tickets import api_desk as desk
from tickets import api_settings as mail
from tickets.reports import api as reports

SCHEMA_SECONDS = 600

register_converter(IdConverter, "id")

router = SimpleRouter()
router.register("conversations", conversations.ConversationViewSet)
router.register("tags", conversations.TagViewSet)
router.register("customers", customers.CustomerViewSet)
router.register("organizations", customers.OrganizationViewSet)
router.register("plans", customers.PlanViewSet)
router.register("services", customers.ServiceViewSet)
router.register("teams", customers.TeamViewSet)
router.register("agents", people.AgentViewSet)
router.register("calendars", sla.CalendarViewSet)
router.register("policies", sla.PolicyViewSet)
router.register("pages", oncall.PageViewSet)
router.register("schedules", oncall.ScheduleViewSet)
router.register("schedules/(?P<schedule_id>[0-9]{1,18})/overrides", oncall.OverrideViewSet)
router.register("escalation-policies", escalation.EscalationPolicyViewSet)
router.register("notification-rules", escalation.NotificationRuleViewSet)
router.register("inbound-emails", tickets.InboundEmailViewSet)
router.register("mailboxes", mail.MailboxViewSet)
router.register("imap-accounts", mail.ImapAccountViewSet)
router.register("suspended-addresses", mail.SuspendedAddressViewSet)
router.register("rules", desk.RuleViewSet)
router.register("macros", desk.MacroViewSet)
router.register("canned-replies", desk.CannedReplyViewSet)
router.register("views", desk.SavedViewViewSet)
router.register("custom-fields", desk.CustomFieldViewSet)
router.register("blocked-senders", desk.BlockedSenderViewSet)
router.register("webhooks", events.WebhookViewSet)
router.register("audit", audit.AuditViewSet)

_conversation = "conversations/<id:conversation_id>"
_v1: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path(f"{_conversation}/messages/", messages.Messages.as_view()),
    path(f"{_conversation}/events/", messages.Events.as_view()),
    path(f"{_conversation}/clocks/<slug:target>/explanation/", messages.ClockExplanation.as_view()),
    path(f"{_conversation}/merge/", handling.Merge.as_view()),
    path(f"{_conversation}/split/", links.Split.as_view()),
    path(f"{_conversation}/links/", links.Links.as_view()),
    path(f"{_conversation}/macros/", desk.ApplyMacro.as_view()),
    path("webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/replay/", events.Replay.as_view()),
    path("attachments/<id:attachment_id>/content/", messages.AttachmentContent.as_view(), name="attachment_content"),
    path("pages/<id:page_id>/acknowledgement/", handling.PageAcknowledgement.as_view()),
    path("oncall/now/", oncall.OnCallNow.as_view()),
    path("reports/", reports.Reports.as_view()),
    path("reports/<slug:table>/", reports.ReportTable.as_view()),
]

urlpatterns = [
    path("v1/", include(_v1)),
    path("schema/", cache_page(SCHEMA_SECONDS, cache="process")(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", docs, name="api_docs"),
    re_path("", NothingHere.as_view()),
]
