"""The status room's part of `/api/v1/`. Ids are the public ones, as in the Statuspage API."""
