"""Index of the status room's models: one app label, one migration history."""

from status.incident_models import (
    GOING_ON,
    AffectedComponent,
    ConversationNotice,
    Incident,
    IncidentComponent,
    IncidentConversation,
    IncidentDue,
    IncidentTemplate,
    IncidentUpdate,
    MaintenanceSeries,
)
from status.page_models import Component, ComponentSpan, Impact, State, StatusPage, new_public_id
from status.signal_models import Proposal, Signal, SignalSource
from status.subscriber_models import Distribution, Notice, Subscriber

__all__ = [
    "GOING_ON",
    "AffectedComponent",
    "Component",
    "ComponentSpan",
    "ConversationNotice",
    "Distribution",
    "Impact",
    "Incident",
    "IncidentComponent",
    "IncidentConversation",
    "IncidentDue",
    "IncidentTemplate",
    "IncidentUpdate",
    "MaintenanceSeries",
    "Notice",
    "Proposal",
    "Signal",
    "SignalSource",
    "State",
    "StatusPage",
    "Subscriber",
    "new_public_id",
]
