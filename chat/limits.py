"""How much one visitor may do."""

from typing import Final

from helpdesk.limits import Limit, forget, give_back, take

__all__ = ["Limit", "forget", "give_back", "take"]

# What one address may do is generous: a whole office shares it.
SESSIONS_OF_ADDRESS: Final = Limit(1000, 10)
CHATS_OF_ADDRESS: Final = Limit(500, 5)
CHATS_OF_VISIT: Final = Limit(10, 10 / 3600)
MESSAGES_OF_VISIT: Final = Limit(120, 5)
UPLOADS_OF_VISIT: Final = Limit(10, 10 / 600)
SLOTS_OF_VISIT: Final = Limit(60, 1)
BOOKINGS_OF_VISIT: Final = Limit(10, 10 / 3600)
BOOKINGS_OF_ADDRESS: Final = Limit(60, 60 / 3600)
WHISPERS_OF_VISIT: Final = Limit(30, 1)
SOCKETS_OF_ADDRESS: Final = 6000
SOCKETS_OF_VISIT: Final = 10
