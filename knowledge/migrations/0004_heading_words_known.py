from importlib import import_module

from django.db import migrations, models

# Which words stand in headings, so that a mistyped one is compared with words and not with 20,000 titles: 2 ms instead
# of 400. Words of headings that are gone stay: they find nothing.
KNOWN = """
CREATE INDEX known_words_alike ON knowledge_knownword USING gin (word gin_trgm_ops);

CREATE FUNCTION know_heading_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO knowledge_knownword (word)
    SELECT DISTINCT word FROM after,
        unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', after.title || ' ' || after.keywords))) AS word
    WHERE length(word) BETWEEN 3 AND 40 ORDER BY word ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER know_words_of_new AFTER INSERT ON knowledge_translation REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION know_heading_words();
CREATE TRIGGER know_words_of_changed AFTER UPDATE ON knowledge_translation REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION know_heading_words();
INSERT INTO knowledge_knownword (word)
SELECT DISTINCT word FROM knowledge_translation AS one,
    unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', one.title || ' ' || one.keywords))) AS word
WHERE length(word) BETWEEN 3 AND 40;

DROP FUNCTION knowledge_alike;
DROP INDEX translation_sounds_like;
-- Two letters changed places are 0.27 alike ("domian"); a function is where that can be set for one look-up.
CREATE FUNCTION knowledge_meant(typed text[]) RETURNS text LANGUAGE sql STABLE
SET pg_trgm.similarity_threshold = '0.25' AS $$
    SELECT string_agg(quote_literal(meant.word), ' | ')
    FROM unnest(typed) AS one,
        LATERAL (SELECT known.word FROM knowledge_knownword AS known
                 WHERE known.word % one AND abs(length(known.word) - length(one)) <= 2
                 ORDER BY similarity(known.word, one) DESC, known.word LIMIT 3) AS meant
    WHERE NOT EXISTS (SELECT FROM knowledge_knownword AS known WHERE known.word = one)
$$;
"""

UNKNOWN = (
    """
DROP TRIGGER know_words_of_new ON knowledge_translation;
DROP TRIGGER know_words_of_changed ON knowledge_translation;
DROP FUNCTION know_heading_words();
DROP FUNCTION knowledge_meant(text[]);
CREATE INDEX translation_sounds_like ON knowledge_translation
    USING gin (title gin_trgm_ops, keywords gin_trgm_ops);
"""
    + import_module("knowledge.migrations.0002_words_alike").ALIKE
)


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0003_taken_back")]

    operations = [
        migrations.CreateModel(
            name="KnownWord",
            fields=[("word", models.CharField(max_length=40, primary_key=True, serialize=False))],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveIndex(model_name="translation", name="translation_sounds_like")]
        ),
        migrations.RunSQL(KNOWN, UNKNOWN),
    ]
