"""What callers hear, in the languages we speak, until a company says it in its own words. Pure."""

from collections.abc import Mapping
from typing import Final

OPEN, CLOSED, THANKS, NOTHING = "open", "closed", "thanks", "nothing"
DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        OPEN: "You have reached the emergency line. Please say who you are, what is down, and how we can call you "
        "back. Begin after the tone, and press the hash key when you are done.",
        CLOSED: "You have reached the emergency line outside our office hours. The engineer on call is being called. "
        "Please say who you are, what is down, and how we can call you back. Begin after the tone, and press the hash "
        "key when you are done.",
        THANKS: "Thank you. The engineer on call is being called until somebody answers. Goodbye.",
        NOTHING: "We have heard nothing, but we know that you called. The engineer on call is told. Goodbye.",
    },
    "de": {
        OPEN: "Sie haben die Notrufnummer erreicht. Bitte sagen Sie, wer Sie sind, was ausgefallen ist und wie wir Sie "
        "zurückrufen können. Sprechen Sie nach dem Ton und drücken Sie am Ende die Rautetaste.",
        CLOSED: "Sie haben die Notrufnummer außerhalb unserer Bürozeiten erreicht. Der Bereitschaftsdienst wird gerade "
        "gerufen. Bitte sagen Sie, wer Sie sind, was ausgefallen ist und wie wir Sie zurückrufen können. Sprechen Sie "
        "nach dem Ton und drücken Sie am Ende die Rautetaste.",
        THANKS: "Vielen Dank. Der Bereitschaftsdienst wird gerufen, bis sich jemand meldet. Auf Wiederhören.",
        NOTHING: "Wir haben nichts gehört, wissen aber von Ihrem Anruf. Der Bereitschaftsdienst erfährt davon. Auf "
        "Wiederhören.",
    },
    "fr": {
        OPEN: "Vous êtes sur la ligne d'urgence. Dites-nous qui vous êtes, ce qui est en panne et comment vous "
        "rappeler. Parlez après le signal, puis appuyez sur la touche dièse.",
        CLOSED: "Vous êtes sur la ligne d'urgence, en dehors de nos heures de bureau. La personne d'astreinte est en "
        "train d'être appelée. Dites-nous qui vous êtes, ce qui est en panne et comment vous rappeler. Parlez après le "
        "signal, puis appuyez sur la touche dièse.",
        THANKS: "Merci. La personne d'astreinte est appelée jusqu'à ce que quelqu'un réponde. Au revoir.",
        NOTHING: "Nous n'avons rien entendu, mais nous savons que vous avez appelé. L'astreinte est prévenue.",
    },
    "es": {
        OPEN: "Ha llamado a la línea de emergencias. Díganos quién es, qué ha fallado y cómo podemos devolverle la "
        "llamada. Hable después de la señal y pulse almohadilla al terminar.",
        CLOSED: "Ha llamado a la línea de emergencias fuera de nuestro horario. Avisamos a la persona de guardia. "
        "Díganos quién es, qué ha fallado y cómo podemos devolverle la llamada. Hable después de la señal y pulse "
        "almohadilla al terminar.",
        THANKS: "Gracias. Llamamos a la persona de guardia hasta que alguien responda. Adiós.",
        NOTHING: "No hemos oído nada, pero sabemos que ha llamado. Avisamos a la guardia. Adiós.",
    },
    "pt": {
        OPEN: "Ligou para a linha de emergência. Diga-nos quem é, o que falhou e como podemos ligar-lhe de volta. Fale "
        "depois do sinal e prima a tecla cardinal no fim.",
        CLOSED: "Ligou para a linha de emergência fora do nosso horário. A pessoa de prevenção está a ser chamada. "
        "Diga-nos quem é, o que falhou e como podemos ligar-lhe de volta. Fale depois do sinal e prima a tecla "
        "cardinal no fim.",
        THANKS: "Obrigado. A pessoa de prevenção é chamada até que alguém atenda. Até logo.",
        NOTHING: "Não ouvimos nada, mas sabemos que ligou. A pessoa de prevenção é avisada. Até logo.",
    },
}
FALLBACK: Final = "en"


def default(language: str, what: str) -> str:
    """The words of a language we speak, else the English ones."""
    return DEFAULTS.get(language, DEFAULTS[FALLBACK])[what]


def chosen(own: Mapping[str, object], language: str, what: str) -> str:
    """A company's own greeting where it has one in this language, else the default of that language."""
    of_language = own.get(language)
    words = of_language.get(what) if isinstance(of_language, dict) else None
    return words if isinstance(words, str) and words.strip() else default(language, what)
