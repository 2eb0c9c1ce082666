"""How rooms meet that never know each other: who is asked for what, by dotted string."""

from helpdesk.settings_base import env

# What open pages are told besides events. Rooms do not know each other: these are the desk's functions for the sockets
# and the sockets' for the desk (docs/live.md).
LIVE_DESK = {
    "counts": "tickets.desk.counts.for_agent",
    "rows": "tickets.desk.live_rows.draw",
    "thread": "tickets.desk.live_threads.draw",
    "list": "tickets.desk.live_lists.opened",
    "belonging": "tickets.desk.live_lists.belonging",
    "notices": "tickets.desk.proposed.live",
    "looking": "chat.presence.looking",
    "wakeable": "tickets.desk.notices.wakeable",
    "chat": "chat.pane.facts",
    "answered": "chat.handling.answered",
    "counted": "chat.supervision.counted",
}

# What the desk asks of whoever is on the networks: how a conversation stands, what belongs to its messages, and saying
# an answer there. Their names are those of SOCIAL_NETWORKS.
NETWORK_DESK = {
    "pane": "social.pane.facts",
    "messages": "social.marks.of_messages",
    "answer": "social.answering.from_desk",
    "say": "social.answering.by_the_house",
}

# What is due of a chat, and what is then looked at; a function takes (chat, at) and returns when to look again.
CHAT_DUES: dict[str, str] = {
    "offer": "chat.offers.look",
    "left": "chat.leaving.look",
    "half": "chat.nudges.half",
    "most": "chat.nudges.most",
    "late": "chat.nudges.late",
    "waits": "chat.nudges.waits",
    "back": "chat.nudges.back",
    "anything": "chat.nudges.anything",
    "end": "chat.nudges.end",
    "mail": "chat.continuity.mail_unseen",
}
# What happens to an incident by the clock; a function takes (incident, at) and returns when to look again.
STATUS_DUES: dict[str, str] = {
    "publish": "status.timers.publish",
    "remind": "status.timers.remind",
    "begin": "status.timers.begin",
    "end": "status.timers.end",
    "overrun": "status.timers.overrun",
}
# What happens to a quote by the clock; a function takes (quote, at) and returns when to look again.
QUOTE_DUES: dict[str, str] = {"remind": "quotes.timers.remind", "expire": "quotes.timers.expire"}
# Channels held elsewhere that go on by mail, and what tells the mail room of a conversation: language, link, names.
CONTINUED_BY_MAIL = {"chat": "chat.continuity.particulars"}
# Who a mail about a conversation is from, and where its answers go, for rooms that write mails of their own.
MAIL_WAYS_BACK = "tickets.mail.channel.ways_back"
# Rooms that invite by calendar entries, and take what calendars answer (tickets.mail.invitations).
INVITATIONS = ["chat.booking_answers.take"]

# What other rooms know of incidents, and what the status room asks of them about conversations it did not begin
# (helpdesk.conversations.incidents, docs/status.md).
INCIDENTS = {
    "of_conversation": "status.concerning.of_conversation",
    "of_form": "status.concerning.of_form",
    "of_service": "status.concerning.of_service",
    "of_organization": "status.concerning.of_organization",
    "announced": "status.announced.of_update",
    "of_row": "status.linking.incident_of",
    "beside": "status.linking.BESIDE",
    "conversations": "status.linking.OF_INCIDENT",
    "named": "status.linking.name_of",
    "visitor": "chat.concerning.visitor_of",
    "asks": "chat.concerning.ask",
}
# What else other rooms know of a conversation, by name: SQL of one JSON value, which refers to it as `c`.
BESIDE_CONVERSATIONS = {"quotes": "quotes.beside.OF_CONVERSATION"}
# Networks that updates are announced on, and what says whether an account there is connected ("" where nothing can).
ANNOUNCERS = dict.fromkeys(("x", "facebook", "mastodon", "bluesky"), "social.accounts.is_connected")
# Who else is asked whether a bounce is about a mail of theirs.
COMES_BACK = ["status.bounces.came_back"]
# The social networks, each one file (social.network.Network).
SOCIAL_NETWORKS = {
    "x": "social.networks.x.X",
    "facebook": "social.networks.facebook.Facebook",
    "whatsapp": "social.networks.whatsapp.WhatsApp",
    "telegram": "social.networks.telegram.Telegram",
    "mastodon": "social.networks.mastodon.Mastodon",
    "bluesky": "social.networks.bluesky.Bluesky",
    "discourse": "social.networks.discourse.Discourse",
    "feed": "social.networks.feed.Feed",
}
# Posts with these words are covered on the desk until somebody asks to see them; by language. Threats and insults:
# criticism is no abuse.
SOCIAL_ABUSE_WORDS = {
    "en": ("kill yourself", "i will kill you", "fuck you", "fuck off", "asshole", "motherfucker", "cunt", "kys"),
    "de": ("arschloch", "hurensohn", "fick dich", "verpiss dich", "wichser", "fotze", "bring dich um", "missgeburt"),
    "fr": ("connard", "connasse", "enculé", "nique ta mère", "fils de pute", "va te faire foutre", "je vais te tuer"),
    "es": ("hijo de puta", "gilipollas", "cabrón", "vete a la mierda", "te voy a matar", "que te jodan"),
    "pt": ("filho da puta", "vai te foder", "vai se foder", "cuzão", "vou te matar", "arrombado"),
}
# How many characters of an incident's update a message may have; channels that are not named have no limit.
TOLD_CHARACTERS = {
    "chat": 1000,
    "telegram": 4000,
    "whatsapp": 4000,
    "facebook": 2000,
    "mastodon": 500,
    "bluesky": 300,
    "x": 280,
    # Three segments of the GSM alphabet.
    "sms": 459,
    "phone": 459,
}
# Channels in which others may read along: what is private to a company is not told there.
PUBLIC_CHANNELS = ("bluesky", "discourse", "facebook", "feed", "mastodon", "x")

# How rooms have pages in the desk and areas in its settings without knowing it: its functions for them, and their areas
# for it (helpdesk.desk).
DESK = {
    "page": "tickets.desk.rendering.page",
    "agent_view": "tickets.views.access.agent_view",
    "viewers_too": "tickets.views.access.viewers_too",
    "admin_view": "tickets.views.settings.access.admin_view",
    "settings_page": "tickets.views.settings.generic.show",
    "into_draft": "tickets.desk.drafts.append",
}
# What rooms offer there: to the palette, and to the `/` menu of a reply; functions of (typed, user, conversation or 0).
# And who suggests something to people that write a ticket, and is told when they wrote it all the same.
PALETTE_SOURCES = ["knowledge.offering.for_palette"]
COMPOSER_SOURCES = ["knowledge.offering.for_composer"]
SUGGESTING = "knowledge.suggesting.note_written"
SETTINGS_AREAS = [
    "chat.views.settings.widgets.WIDGETS",
    "chat.views.settings.hours.HOURS",
    "status.views.settings.page.PAGE",
    "status.views.settings.components.COMPONENTS",
    "status.views.settings.templates.TEMPLATES",
    "status.views.settings.series.SERIES",
    "status.views.settings.signals.SOURCES",
    "status.views.settings.subscribers.SUBSCRIBERS",
    "knowledge.views.settings.categories.CATEGORIES",
    "helpdesk.ratings.settings_area.RATINGS",
    "portal.views.settings.plan_changes.PLAN_CHANGES",
    "portal.views.settings.erasures.ERASURES",
    "quotes.views.settings.QUOTES",
    "phone.views.settings.lines.LINES",
    "phone.views.settings.twilio.TWILIO",
    "social.views.settings.accounts.ACCOUNTS",
    "social.views.settings.topics.TOPICS",
]

# What the portal shows of other rooms (portal.parts): pages in its menu as (name, picture, name of the address), and
# what is drawn beside a conversation by functions of (request, conversation, customer, at).
PORTAL_PAGES = [
    ("conversations", "inbox", "portal:home"),
    ("services", "server", "portal:services"),
    ("plan", "layers", "portal:plan"),
    ("chats", "calendar-clock", "portal:chats"),
    ("quotes", "receipt-text", "quotes:mine"),
    ("account", "user", "portal:account"),
]
# How a customer may chat now, the chats agreed for a time, and whom a site that embeds the ticket form vouches for
# (docs/portal.md): portal and ticket form ask.
CHAT_OFFER = "chat.for_customers.offer"
CHATS_AGREED = "chat.for_customers.agreed"
EMBED_IDENTITY = "chat.for_customers.embedded"
PORTAL_PARTS = ["quotes.portal_part.drawn", "helpdesk.ratings.portal_part.drawn"]
# Its menu, for rooms with pages in it: a function of (customer).
PORTAL_MENU = "portal.parts.menu"
# What rooms add to the file of a customer's own data, by its name there, as functions of (customer); and what they do
# when a customer is forgotten, as functions of (customer, at) (docs/privacy.md).
PORTAL_EXPORTS: dict[str, str] = {
    "chats": "chat.for_customers.exported",
    "quotes": "quotes.portal_part.exported",
    "ratings": "helpdesk.ratings.portal_part.exported",
    "comments": "knowledge.customers_own.exported",
    "networks": "social.customers_own.exported",
    "calls": "phone.customers_own.exported",
}
ERASERS = ["tickets.mail.erasing.erase", "chat.for_customers.erase", "status.customers_own.erase"]
ERASERS += ["quotes.portal_part.erase", "helpdesk.ratings.portal_part.erase", "tickets.desk.erasing.erase"]
ERASERS += ["knowledge.customers_own.erase", "social.customers_own.erase", "phone.customers_own.erase"]
# The columns that name bytes in the storage by their SHA-256: what none of them names any more may go.
FILES_NAMED_BY = [
    "helpdesk.Attachment.sha256", "chat.Upload.sha256", "chat.ChatAgent.picture", "knowledge.ArticleFile.sha256",
    "social.ApprovalFile.sha256",
]  # fmt: skip
# Whom an account on a network belongs to, once somebody sent a code of the portal from it (portal.linking.claim).
IDENTITY_CLAIMS = "portal.linking.claim"
# Where else people reach us: a function of (at=) that gives social.reach.Place, for portal and help centre.
PLACES = "social.reach.places"
# What a customer may do now (helpdesk.sla.entitlement) asks the chat room, whose grants and bookings open channels.
ENTITLEMENTS = {
    "chat": "chat.entitlement.of",
    "agreed": "chat.entitlement.by_agreement",
    "grants": "chat.grants.of",
}

# Modules with tables of the reports beside the desk's own: KEYS, and tables(selection, user).
REPORTS = ["helpdesk.ratings.figures", "quotes.figures"]

# How long an agent can take a reply back from the desk before it leaves.
UNDO_SEND_SECONDS = env.int("UNDO_SEND_SECONDS", default=10)
