"""Everything below `/api/`."""

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from chat import api_agents as chat_agents
from chat import api_bookings as booked
from chat import api_widgets as widgets
from helpdesk.api_docs import docs
from helpdesk.api_errors import NothingHere
from helpdesk.conversations import api as conversations
from helpdesk.conversations import api_following as following
from helpdesk.conversations import api_handling as handling
from helpdesk.conversations import api_links as links
from helpdesk.conversations import api_messages as messages
from helpdesk.conversations import api_undoing as undoing
from helpdesk.customers import api as customers
from helpdesk.customers import api_audit as audit
from helpdesk.customers.api_fields import IdConverter
from helpdesk.events import api as events
from helpdesk.oncall import api as oncall
from helpdesk.oncall import api_escalation as escalation
from helpdesk.people import api as people
from helpdesk.ratings import api as ratings
from helpdesk.sla import api as sla
from helpdesk.sla import api_entitlement as entitlement
from knowledge.api import articles as knowledge
from phone.api import calls as phone_calls
from quotes import api as quotes
from social.api import accounts as social_accounts
from social.api import announcements, arrivals
from social.api import posts as social_posts
from status.api import components, incidents, linked, maintenances, subscribers
from status.models import Incident
from tickets import api as tickets
from tickets import api_bulk as bulk
from tickets import api_chores as chores
from tickets import api_desk as desk
from tickets import api_inbox as inbox
from tickets import api_own as own
from tickets import api_settings as mail
from tickets import api_writing as writing
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
router.register("bulk-changes", bulk.BulkChangeViewSet)
router.register("webhooks", events.WebhookViewSet)
router.register("widgets", widgets.WidgetViewSet)
router.register("bookings", booked.BookingViewSet)
router.register("chat-agents", chat_agents.ChatAgentViewSet)
router.register("components", components.ComponentViewSet)
router.register("component-groups", components.ComponentGroupViewSet, basename="component-group")
router.register("incidents", incidents.IncidentViewSet, basename="incident")
router.register("subscribers", subscribers.SubscriberViewSet)
router.register("maintenances", maintenances.MaintenanceViewSet, basename="maintenance")
router.register("calls", phone_calls.CallViewSet)
router.register("ratings", ratings.RatingViewSet, basename="rating")
router.register("quotes", quotes.QuoteViewSet, basename="quote")
router.register("articles", knowledge.ArticleViewSet)
router.register("categories", knowledge.CategoryViewSet)
router.register("posts", social_posts.PostViewSet)
router.register("announcements", announcements.AnnouncementViewSet)
router.register("accounts", social_accounts.AccountViewSet)
router.register("arrivals", arrivals.ArrivalViewSet)
router.register("audit", audit.AuditViewSet)

_conversation = "conversations/<id:conversation_id>"
_v1: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path(f"{_conversation}/messages/", writing.DeskMessages.as_view()),
    path(f"{_conversation}/messages/<id:message_id>/retry/", undoing.MessageRetry.as_view()),
    path(f"{_conversation}/messages/<id:message_id>/taking-back/", undoing.MessageTakingBack.as_view()),
    path(f"{_conversation}/undo/", undoing.Undo.as_view()),
    path(f"{_conversation}/draft/", writing.OwnDraft.as_view()),
    path(f"{_conversation}/forwards/", writing.Forwards.as_view()),
    path(f"{_conversation}/canned-replies/", writing.FilledReply.as_view()),
    path(f"{_conversation}/mentions-seen/", writing.MentionsSeen.as_view()),
    path(f"{_conversation}/followers/", following.Followers.as_view()),
    path(f"{_conversation}/followers/<id:customer_id>/", following.Follower.as_view()),
    path(f"{_conversation}/checklist/", chores.Checklist.as_view()),
    path(f"{_conversation}/checklist/<id:item_id>/", chores.ChecklistEntry.as_view()),
    path(f"{_conversation}/time-entries/", chores.TimeEntries.as_view()),
    path(f"{_conversation}/time-entries/<id:entry_id>/", chores.OwnTimeEntry.as_view()),
    path(f"{_conversation}/events/", messages.Events.as_view()),
    path(f"{_conversation}/clocks/<slug:target>/explanation/", messages.ClockExplanation.as_view()),
    path(f"{_conversation}/merge/", handling.Merge.as_view()),
    path(f"{_conversation}/split/", links.Split.as_view()),
    path(f"{_conversation}/links/", links.Links.as_view()),
    path(f"{_conversation}/macros/", desk.ApplyMacro.as_view()),
    path("customers/<id:customer_id>/entitlements/", entitlement.Entitlements.as_view()),
    path("customers/<id:customer_id>/chat-grants/", booked.ChatGrants.as_view()),
    path("webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/replay/", events.Replay.as_view()),
    path("attachments/<id:attachment_id>/content/", messages.AttachmentContent.as_view(), name="attachment_content"),
    path("inbox/", inbox.Inbox.as_view()),
    path("inbox/counts/", inbox.InboxCounts.as_view()),
    path("search/", inbox.Search.as_view()),
    path("mentions/", writing.Mentions.as_view()),
    path("notification-choice/", own.OwnNotificationChoice.as_view()),
    path("pages/<id:page_id>/acknowledgement/", handling.PageAcknowledgement.as_view()),
    path("text-count/", phone_calls.TextCount.as_view()),
    path("oncall/now/", oncall.OnCallNow.as_view()),
    path("articles/<id:article_id>/versions/", knowledge.Versions.as_view()),
    path("articles/<id:article_id>/versions/<id:number>/restoring/", knowledge.Restoring.as_view()),
    path("articles/<id:article_id>/files/", knowledge.Files.as_view()),
    path("articles/<id:article_id>/files/<slug:file_id>/", knowledge.OneFile.as_view()),
    path("reports/", reports.Reports.as_view()),
    path("reports/<slug:table>/", reports.ReportTable.as_view()),
]

for _place, _kind in (("incidents", Incident.Kind.INCIDENT), ("maintenances", Incident.Kind.MAINTENANCE)):
    _updates = f"{_place}/<slug:public_id>/updates"
    _v1 += [
        path(f"{_place}/<slug:public_id>/conversations/", linked.IncidentConversations.as_view(kind=_kind)),
        path(
            f"{_place}/<slug:public_id>/conversations/<id:conversation_id>/",
            linked.IncidentConversationLink.as_view(kind=_kind),
        ),
        path(f"{_updates}/", incidents.Updates.as_view(kind=_kind)),
        path(f"{_updates}/<slug:update_id>/", incidents.OneUpdate.as_view(kind=_kind)),
        path(f"{_updates}/<slug:update_id>/publication/", incidents.Publication.as_view(kind=_kind)),
    ]

urlpatterns = [
    path("v1/", include(_v1)),
    path("schema/", cache_page(SCHEMA_SECONDS, cache="process")(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", docs, name="api_docs"),
    re_path("", NothingHere.as_view()),
]
