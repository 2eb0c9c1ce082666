from django.db import migrations

COPY = """
INSERT INTO helpdesk_rating (conversation_id, customer_id, agent_id, team_id, channel, score, comment, via, rated_at,
                             is_shown)
SELECT rating.chat_id, conversation.customer_id, conversation.assignee_id, conversation.team_id, conversation.channel,
       rating.score, rating.comment, 'chat', rating.at, false
FROM chat_chatrating AS rating JOIN helpdesk_conversation AS conversation ON conversation.id = rating.chat_id
ON CONFLICT (conversation_id) DO UPDATE SET score = excluded.score, comment = excluded.comment, via = excluded.via,
    rated_at = excluded.rated_at, due_at = NULL
    WHERE helpdesk_rating.rated_at IS NULL
"""
COPY_BACK = """
INSERT INTO chat_chatrating (chat_id, score, comment, at)
SELECT rating.conversation_id, rating.score, rating.comment, rating.rated_at
FROM helpdesk_rating AS rating JOIN chat_chat AS chat ON chat.conversation_id = rating.conversation_id
WHERE rating.rated_at IS NOT NULL
"""


class Migration(migrations.Migration):
    """What customers thought of chats stands with what they thought of everything else (helpdesk.ratings); the table of
    its own goes in the same transaction, so that no rating is in neither.
    """

    dependencies = [
        ("chat", "0006_answered_chats_index"),
        ("helpdesk", "0018_rating_settings"),
    ]

    operations = [
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.DeleteModel("ChatRating"),
    ]
