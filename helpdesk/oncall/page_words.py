"""What agents hear and read of pages by phone and SMS, in their own language. Pure: it must work when nothing else
does. What pages are about stays in the words it was said in.
"""

from collections.abc import Mapping
from typing import Final

URGENT_CALL, CALL, KEYS, ONE_KEY, NO_KEY = "urgent_call", "call", "keys", "one_key", "no_key"
THANKS, PASSED, NOT_NOTED, GOODBYE = "thanks", "passed", "not_noted", "goodbye"
URGENT, REPLY, REPLY_OR_PASS = "urgent", "reply", "reply_or_pass"
RESOLVED, ACKNOWLEDGED, LATE, MANY = "resolved", "acknowledged", "late", "many"
YOURS, ALL_YOURS, TAKEN, HANDED_ON, NOT_THERE = "yours", "all_yours", "taken", "handed_on", "not_there"

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        URGENT_CALL: "Urgent page from the helpdesk.",
        CALL: "Page from the helpdesk.",
        KEYS: "Press 1 to acknowledge. Press 2 to pass it on.",
        ONE_KEY: "Press 1 to acknowledge.",
        NO_KEY: "Nobody has pressed a key. Goodbye.",
        THANKS: "Acknowledged. Thank you.",
        PASSED: "It is passed on. Goodbye.",
        NOT_NOTED: "The helpdesk cannot note it now. Press the key again in a moment.",
        GOODBYE: "Nobody has acknowledged. Goodbye.",
        URGENT: "URGENT",
        REPLY: "Reply {ack}",
        REPLY_OR_PASS: "Reply {ack} or {pass_on}",
        RESOLVED: "Resolved: {what}",
        ACKNOWLEDGED: "Acknowledged: {what}",
        LATE: "[late by {span}] {what}",
        MANY: "{count} pages are waiting, {urgent} of them urgent",
        YOURS: "Page {page} is yours. Thank you.",
        ALL_YOURS: "Pages acknowledged: {count}. Thank you.",
        TAKEN: "Page {page} was acknowledged already: {who}.",
        HANDED_ON: "Page {page} is passed on.",
        NOT_THERE: "No page waits for that answer.",
    },
    "de": {
        URGENT_CALL: "Dringender Alarm vom Helpdesk.",
        CALL: "Alarm vom Helpdesk.",
        KEYS: "Zum Annehmen drücken Sie die 1, zum Weitergeben die 2.",
        ONE_KEY: "Zum Annehmen drücken Sie die 1.",
        NO_KEY: "Niemand hat eine Taste gedrückt. Auf Wiederhören.",
        THANKS: "Angenommen. Danke.",
        PASSED: "Der Alarm ist weitergegeben. Auf Wiederhören.",
        NOT_NOTED: "Das kann gerade nicht vermerkt werden. Drücken Sie die Taste gleich noch einmal.",
        GOODBYE: "Niemand hat angenommen. Auf Wiederhören.",
        URGENT: "DRINGEND",
        REPLY: "Antwort: {ack}",
        REPLY_OR_PASS: "Antwort: {ack} oder {pass_on}",
        RESOLVED: "Erledigt: {what}",
        ACKNOWLEDGED: "Angenommen: {what}",
        LATE: "[{span} zu spät] {what}",
        MANY: "{count} Alarme warten, davon {urgent} dringend",
        YOURS: "Alarm {page} gehört Ihnen. Danke.",
        ALL_YOURS: "Angenommene Alarme: {count}. Danke.",
        TAKEN: "Alarm {page} ist schon angenommen: {who}.",
        HANDED_ON: "Alarm {page} ist weitergegeben.",
        NOT_THERE: "Kein Alarm wartet auf diese Antwort.",
    },
    "fr": {
        URGENT_CALL: "Alerte urgente du helpdesk.",
        CALL: "Alerte du helpdesk.",
        KEYS: "Appuyez sur 1 pour accepter, sur 2 pour transmettre.",
        ONE_KEY: "Appuyez sur 1 pour accepter.",
        NO_KEY: "Aucune touche n'a été pressée. Au revoir.",
        THANKS: "C'est accepté. Merci.",
        PASSED: "L'alerte est transmise. Au revoir.",
        NOT_NOTED: "Impossible de le noter pour l'instant. Appuyez de nouveau dans un moment.",
        GOODBYE: "Personne n'a accepté. Au revoir.",
        URGENT: "URGENT",
        REPLY: "Répondez {ack}",
        REPLY_OR_PASS: "Répondez {ack} ou {pass_on}",
        RESOLVED: "Résolu : {what}",
        ACKNOWLEDGED: "Accepté : {what}",
        LATE: "[retard : {span}] {what}",
        MANY: "{count} alertes en attente, dont {urgent} urgentes",
        YOURS: "L'alerte {page} est à vous. Merci.",
        ALL_YOURS: "Alertes acceptées : {count}. Merci.",
        TAKEN: "L'alerte {page} est déjà acceptée : {who}.",
        HANDED_ON: "L'alerte {page} est transmise.",
        NOT_THERE: "Aucune alerte n'attend cette réponse.",
    },
    "es": {
        URGENT_CALL: "Aviso urgente del helpdesk.",
        CALL: "Aviso del helpdesk.",
        KEYS: "Pulse 1 para aceptar, 2 para pasarlo.",
        ONE_KEY: "Pulse 1 para aceptar.",
        NO_KEY: "Nadie ha pulsado una tecla. Adiós.",
        THANKS: "Aceptado. Gracias.",
        PASSED: "El aviso se ha pasado. Adiós.",
        NOT_NOTED: "Ahora no se puede anotar. Pulse la tecla de nuevo en un momento.",
        GOODBYE: "Nadie ha aceptado. Adiós.",
        URGENT: "URGENTE",
        REPLY: "Responda {ack}",
        REPLY_OR_PASS: "Responda {ack} o {pass_on}",
        RESOLVED: "Resuelto: {what}",
        ACKNOWLEDGED: "Aceptado: {what}",
        LATE: "[con retraso de {span}] {what}",
        MANY: "{count} avisos en espera, {urgent} urgentes",
        YOURS: "El aviso {page} es suyo. Gracias.",
        ALL_YOURS: "Avisos aceptados: {count}. Gracias.",
        TAKEN: "El aviso {page} ya está aceptado: {who}.",
        HANDED_ON: "El aviso {page} se ha pasado.",
        NOT_THERE: "Ningún aviso espera esa respuesta.",
    },
    "pt": {
        URGENT_CALL: "Alerta urgente do helpdesk.",
        CALL: "Alerta do helpdesk.",
        KEYS: "Prima 1 para aceitar, 2 para passar.",
        ONE_KEY: "Prima 1 para aceitar.",
        NO_KEY: "Ninguém premiu uma tecla. Até logo.",
        THANKS: "Aceite. Obrigado.",
        PASSED: "O alerta foi passado. Até logo.",
        NOT_NOTED: "Não é possível anotar agora. Prima a tecla de novo daqui a pouco.",
        GOODBYE: "Ninguém aceitou. Até logo.",
        URGENT: "URGENTE",
        REPLY: "Responda {ack}",
        REPLY_OR_PASS: "Responda {ack} ou {pass_on}",
        RESOLVED: "Resolvido: {what}",
        ACKNOWLEDGED: "Aceite: {what}",
        LATE: "[com atraso de {span}] {what}",
        MANY: "{count} alertas à espera, {urgent} urgentes",
        YOURS: "O alerta {page} é seu. Obrigado.",
        ALL_YOURS: "Alertas aceites: {count}. Obrigado.",
        TAKEN: "O alerta {page} já está aceite: {who}.",
        HANDED_ON: "O alerta {page} foi passado.",
        NOT_THERE: "Nenhum alerta espera essa resposta.",
    },
}
FALLBACK: Final = "en"


def known(language: str) -> str:
    """The language, if these words are there in it, else English."""
    return language if language in WORDS else FALLBACK


def say(language: str, which: str, **given: object) -> str:
    """One of the words above, with what they name."""
    return WORDS[known(language)][which].format(**given)
