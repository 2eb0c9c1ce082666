"""The words by which automatic mail gives itself away: subjects in 13 languages and names of unread mailboxes."""

import re
import unicodedata

_SPECIAL = str.maketrans(
    {"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ß": "ss", "’": "'", "‐": "-", "–": "-", "—": "-"}
)

_SAYS_SO = (
    # These say "automatic answer" and cannot begin a person's subject.
    "auto(?:matic|mated)?[ -]?(?:reply|replies|response|answer|responder)|auto:|autoresponse|autoreply"
    "|out[ -]of[ -](?:the[ -])?office[ -](?:auto|reply|response|message|notification|notice)"
    "|(?:vacation|holiday|away|absence) (?:auto-?reply|reply|response|message|notice|notification)"
    "|automatische (?:antwort|abwesenheits|ruckmeldung|eingangsbestatigung|empfangsbestatigung|nachricht)"
    "|autom\\. antwort|automatisierte (?:antwort|nachricht)"
    "|abwesenheits(?:notiz|nachricht|meldung|benachrichtigung|assistent|info)|urlaubs(?:benachrichtigung|meldung|notiz)"
    "|reponse automatique|reponse d'absence|message (?:automatique )?d'absence|(?:avis|notification) d'absence"
    "|message automatique|respuesta automatica|mensaje automatico|autorrespuesta|(?:aviso|notificacion) de ausencia"
    "|risposta automatica|messaggio automatico|risponditore automatico|avviso di assenza"
    "|automatische? (?:antwoord|beantwoording|reactie|bericht)|autoantwoord|afwezigheids(?:bericht|melding|assistent)"
    "|autosvar|automatiskt svar|automatisk svar|automatiskt meddelande|franvaro(?:meddelande|besked)"
    "|resposta automatica|mensagem automatica|aviso de ausencia|fravaers(?:meddelelse|besked|melding|assistent)"
    "|automatyczna odpowiedz|odpowiedz automatyczna|autoodpowiedz|wiadomosc automatyczna"
    "|automaattinen (?:vastaus|poissaolo)|automaattivastaus|poissaolo(?:viesti|ilmoitus|vastaus)"
    "|automaticka odpoved|automaticky odpovidac|oznameni o nepritomnosti"
)
_IS_AWAY = (
    # These are also plain words: they count alone or before a date, a colon or the subject they answer.
    "(?:i am |i'm |currently )?(?:on (?:vacation|holiday|(?:annual |parental )?leave)|out[ -]of[ -](?:the[ -])?office)"
    "|ooo|away from (?:the office|my mail|my desk)"
    "|(?:ich bin )?(?:im urlaub|nicht im (?:buro|haus)|ausser haus)|abwesend|abwesenheit"
    "|(?:je suis )?(?:absente?|en conges?|en vacances)(?: du bureau)?|absence(?: du bureau)?|hors du bureau"
    "|(?:estoy )?(?:fuera de (?:la )?oficina|ausente(?: de la oficina)?|de vacaciones)"
    "|fuori (?:ufficio|sede)|assente(?: dall'ufficio)?|assenza(?: dall'ufficio)?|in ferie"
    "|afwezig|afwezigheid|niet (?:aanwezig|op kantoor)|buiten kantoor|met vakantie|op vakantie"
    "|franvaro|franvarande|ej pa kontoret|inte pa kontoret|pa semester"
    "|fora do escritorio|ausente(?: do escritorio)?|ausencia(?: temporaria| do escritorio)?|de ferias"
    "|fravaer|ikke til stede|ikke pa kontoret|pa ferie|ude af kontoret|fravaerende"
    "|poza biurem|nieobecnosc(?: w biurze)?|nieobecny|nieobecna|na urlopie"
    "|poissa(?: toimistolta)?|lomalla|en ole toimistolla"
    "|mimo kancelar|nepritomnost|nepritomen|nejsem v kancelari|na dovolene"
)
_WHAT_FOLLOWS = (
    # No bare "of" or "de": "Absence de facture" is a complaint.
    r"\s*(?:$|[:\[(!.,;-]|re\b|\d|(?:from|von|vom|van|du|del|dal|fra|od|de|do) \d"
    r"|(?:until|till?|through|back|bis|ab|vom|jusqu|hasta|desde|fino|tot|t/m|tom|fram|a partir|asti|saakka|frem)\b)"
)
_SUBJECT = re.compile(rf"(?:{_SAYS_SO})|(?:{_IS_AWAY}){_WHAT_FOLLOWS}")
_TAGS = re.compile(r"(?:\[[^\[\]]{0,60}\]\s*|\*{1,5}\s*){0,5}")

_UNREAD = re.compile(
    r"(?:^|[-_.+=])(?:no[-_.]?reply|no[-_.]?replies|(?:do|does|please)?[-_.]?(?:not|dont)[-_.]?(?:reply|respond|answer)|noanswer"
    r"|nicht[-_.]?antworten|keine[-_.]?antwort|antworte[-_.]?nicht|(?:ne|n)[-_.]?pas[-_.]?repondre|pas[-_.]?de[-_.]?reponse"
    r"|no[-_.]?(?:responder|contestar|responda|conteste)|(?:non|no)[-_.]?rispond(?:ere|a)"
    r"|(?:nao|no)[-_.]?respond(?:a|er)|niet[-_.]?(?:beantwoorden|antwoorden|reageren)|geen[-_.]?antwoord"
    r"|svara?[-_.]?(?:inte|ej|ikke)|(?:ingen|inget)[-_.]?(?:svar|retur)|ikke[-_.]?svar"
    r"|nie[-_.]?odpowiadaj|bez[-_.]?odpowiedzi|ala[-_.]?vastaa|ei[-_.]?vastausta|neodpovidat|neodpovidejte)"
    r"(?:$|[-_.+=\d@])"
)
_MACHINE = re.compile(
    r"(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|post[-_.]?master|mail[-_.]?delivery.{0,40}|daemon|nobody|root|www-data"
    r"|bounces?|listserv|listmaster|majordomo|mailman|sympa|auto[-_.]?(?:reply|responder|confirm)|abuse[-_.]?report)"
    r"(?:$|[+=-])|.{0,60}[-_](?:bounces?|errors|daemon)$|(?:bounces?|owner|prvs|srs[01])[-+=]"
)


def folded(text: str) -> str:
    """Lower case without accents, so that `Réponse`, `REPONSE` and a mangled `Reponse` are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_SPECIAL))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def is_automatic_subject(subject: str) -> bool:
    """Whether a subject begins the way autoresponders begin theirs. An answer to one (`Re: Out of office`) does not."""
    text = " ".join(folded(subject[:300]).split())
    start = _TAGS.match(text)
    return bool(_SUBJECT.match(text, start.end() if start else 0))


def is_unread_address(email: str) -> bool:
    """Whether the local part says that nobody reads answers (`no-reply@`, `nichtantworten@`, `shop_noreply@` ...)."""
    return bool(_UNREAD.search(folded(email[:320].partition("@")[0])))


def is_machine_address(email: str) -> bool:
    """Whether the address belongs to mail machinery: daemons, list managers, bounce collectors."""
    return bool(_MACHINE.match(email[:320].lower().partition("@")[0]))
