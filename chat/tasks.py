"""What happens by itself in chats (CELERY_BEAT_SCHEDULE)."""

from celery import shared_task
from django.utils.timezone import now

from chat import agents, bookings, dues, estimate, sent_files, sessions, slack_threads
from chat.models import Visit
from helpdesk.events.actions import beat


@shared_task(name="chat.tasks.sweep_chats", expires=10)
def sweep_chats() -> int:
    """Do what is due of chats."""
    at = now()
    beat("sweep_chats", at=at)
    return dues.sweep(at)


@shared_task(name="chat.tasks.sweep_bookings", expires=20)
def sweep_bookings() -> int:
    """Remind of booked chats, and see what became of them."""
    at = now()
    beat("sweep_bookings", at=at)
    return bookings.sweep(at)


@shared_task(name="chat.tasks.tell_slack", expires=30)
def tell_slack() -> int:
    """Let the threads in Slack follow their chats."""
    return slack_threads.sweep(now())


@shared_task(name="chat.tasks.send_agents_away", expires=15)
def send_agents_away() -> int:
    """Who is silent, or has closed their last page, takes no chats."""
    return agents.sweep(now())


@shared_task(name="chat.tasks.forget_visits")
def forget_visits() -> int:
    """Sessions that nobody has come back to, files that no message named, tokens that have run out."""
    at = now()
    sessions.forget_tokens(at)
    sent_files.forget(at)
    deleted, _ = Visit.objects.filter(expires_at__lt=at, chats=None, uploads=None, bookings=None).delete()
    return deleted


@shared_task(name="chat.tasks.reckon_reply_times", expires=300)
def reckon_reply_times() -> int:
    """How soon customers are answered lately, for the widget's estimate."""
    return estimate.reckon_all(at=now())
