"""Where the public finds the status page: STATUS_URL, which may be another host that serves the exported files."""

from django.conf import settings


def page_url() -> str:
    """The status page's address, without a slash at its end."""
    address: str = settings.STATUS_URL
    return address


def own_page_url() -> str:
    """The same page as we serve it ourselves, where customers sign in."""
    return f"{settings.PUBLIC_URL}/status"


def incident_url(public_id: str) -> str:
    """The page of one incident."""
    return f"{page_url()}/incidents/{public_id}/"
