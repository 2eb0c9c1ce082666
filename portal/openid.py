"""Single sign-on for customers by OpenID Connect; off until CUSTOMER_OIDC_SERVER_URL names a provider."""

from django.conf import settings


def name() -> str:
    """What the provider is called on the button; "" where there is none."""
    return settings.CUSTOMER_OIDC_NAME if settings.CUSTOMER_OIDC_SERVER_URL else ""
