"""What readers do with articles: vote, comment, search, find an answer or write all the same; and what agents make of
them.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from knowledge.models.articles import Article


class Vote(models.Model):
    """Whether it helped, once a voter; who changes their mind changes the vote. `voter` is the customer's id behind a
    `c`, or a keyed digest of where a stranger reads from. Triggers keep the article's counts.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="votes", db_index=False)
    voter = models.CharField(max_length=32)
    is_helpful = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "voter"], name="one_vote_a_voter")]
        indexes = [models.Index(fields=["at"], name="votes_by_time")]

    def __str__(self) -> str:
        return f"{'helpful' if self.is_helpful else 'not helpful'}: article {self.article_id}"


class Comment(models.Model):
    """What a reader wrote below an article. Only what is shown is public; the address never is."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SHOWN = "shown"
        REFUSED = "refused"
        SPAM = "spam"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="comments")
    language = models.CharField(max_length=10)
    name = models.CharField(max_length=80)
    email = models.CharField(max_length=254)
    text = models.TextField()
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    suspicion = models.CharField(max_length=120, blank=True, help_text="Why it was taken for spam.")
    moderated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    moderated_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=("shown", "refused")) | Q(moderated_at__isnull=False),
                name="comment_shown_was_moderated",
            )
        ]
        indexes = [models.Index(F("state"), F("id"), name="comments_by_state")]

    def __str__(self) -> str:
        return f"comment {self.pk} on article {self.article_id}"


class SearchedWords(models.Model):
    """How often these words were searched on a day, and what the last such search found. Nobody's name is kept."""

    day = models.DateField()
    language = models.CharField(max_length=10)
    words = models.CharField(max_length=80)
    times = models.PositiveIntegerField(default=1)
    found = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "searched words"
        constraints = [models.UniqueConstraint(fields=["day", "language", "words"], name="one_row_a_day_and_words")]
        indexes = [models.Index(fields=["day"], condition=Q(found=0), name="searched_in_vain")]

    def __str__(self) -> str:
        return self.words


class Suggested(models.Model):
    """An article that was suggested to somebody who was writing, and what came of it. `asking` names one writing of
    one person and nothing else. An answer is deflected only where they said so themselves (`answered_at`) and wrote no
    ticket all the same (`conversation`).
    """

    class Where(models.TextChoices):
        FORM = "form"
        WIDGET = "widget"
        DESK = "desk"

    asking = models.CharField(max_length=32)
    where = models.CharField(max_length=8, choices=Where)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="suggestions")
    # Without the ticket that was written all the same it would count as answered.
    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.CASCADE, null=True, related_name="+")
    suggested_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "suggested"
        constraints = [models.UniqueConstraint(fields=["asking", "article"], name="one_suggestion_an_asking")]
        indexes = [models.Index(fields=["suggested_at"], name="suggestions_by_time")]

    def __str__(self) -> str:
        return f"article {self.article_id} suggested in {self.where}"


class Remark(models.Model):
    """This article needs work: said by an agent, or by a reader whom it did not help. Open until it is settled."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="remarks")
    language = models.CharField(max_length=10, blank=True)
    text = models.TextField(blank=True)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    customer = models.ForeignKey("helpdesk.Customer", on_delete=models.SET_NULL, null=True, related_name="+")
    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["article", "id"], condition=Q(settled_at=None), name="open_remarks")]

    def __str__(self) -> str:
        return f"remark on article {self.article_id}"


class Used(models.Model):
    """An article that an agent put into a reply. `message` is known once that is written."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="uses")
    language = models.CharField(max_length=10)
    conversation = models.ForeignKey("helpdesk.Conversation", on_delete=models.CASCADE, related_name="+")
    # A reply that is taken back is a draft again, with the article in it.
    message = models.ForeignKey("helpdesk.Message", on_delete=models.SET_NULL, null=True, related_name="+")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "used"
        indexes = [models.Index(F("article"), F("at").desc(), name="uses_of_article")]

    def __str__(self) -> str:
        return f"article {self.article_id} in conversation {self.conversation_id}"
