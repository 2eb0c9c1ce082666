"""The REST API and how it describes itself."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "helpdesk.customers.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "helpdesk.customers.permissions.IsAgent",
        "helpdesk.conversations.api_permissions.SeesConversation",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["helpdesk.api_input.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "helpdesk.api_errors.answer_error",
    "DEFAULT_PAGINATION_CLASS": "helpdesk.customers.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Helpdesk API",
    "DESCRIPTION": "Conversations, customers, clocks and pages. Times are ISO 8601 in UTC; lists are cursor-paginated.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "helpdesk.api_refusals.say_refusals",
    ],
    # Fields of one name with different choices need names of their own.
    "ENUM_NAME_OVERRIDES": {
        "ServiceKind": "helpdesk.customers.models.Service.Kind",
        "MessageKind": "helpdesk.conversations.models.Message.Kind",
        "NewMessageKind": [("outbound", "Outbound"), ("note", "Note")],
        "PersonKind": "helpdesk.conversations.models.Message.Author",
        "StatusEnum": "helpdesk.conversations.models.Status",
        "SubscriberKind": "status.models.Subscriber.Kind",
        "SubscriberStatus": "status.models.Subscriber.Status",
        "ComponentState": "status.models.State",
        "Impact": "status.models.Impact",
        "IncidentImpact": "status.api.incident_shapes.IMPACTS",
        "IncidentOrMaintenanceStatus": "status.models.Incident.Status",
        "IncidentStatus": "status.api.incident_shapes.INCIDENT_STATUSES",
        "MaintenanceStatus": "status.api.incident_shapes.MAINTENANCE_STATUSES",
    },
}
