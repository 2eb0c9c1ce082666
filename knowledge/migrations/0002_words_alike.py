from django.db import migrations

# Two letters changed places are 0.43 alike ("domian"), which is below what PostgreSQL takes for alike by itself. A
# function is where that can be set for one look-up. `limited` are the articles that are not everybody's and that the
# asker may read; with `everything` nothing is left out.
ALIKE = """
CREATE FUNCTION knowledge_alike(mistyped text[], everything boolean, limited bigint[], most integer)
RETURNS TABLE (id bigint, rank double precision) LANGUAGE sql STABLE
SET pg_trgm.word_similarity_threshold = '0.4' AS $$
    SELECT translation.id, sum(greatest(word_similarity(one, title), word_similarity(one, keywords)))
                           / cardinality(mistyped) AS rank
    FROM unnest(mistyped) AS one
    JOIN knowledge_translation AS translation ON translation.title %> one OR translation.keywords %> one
    WHERE everything OR translation.is_open OR translation.article_id = ANY (limited)
    GROUP BY translation.id ORDER BY rank DESC LIMIT most
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_articles")]

    operations = [migrations.RunSQL(ALIKE, "DROP FUNCTION knowledge_alike")]
