-- A batch of actions in one transaction and a few statements; a letter for each action, in their order. Batches come
-- one after the other: nearly every two of them pay the same members, and would wait for each other anyway.
CREATE FUNCTION score_batch(ids text[], performers integer[], amounts integer[], times timestamptz[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    verdicts text;
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(ids, performers, amounts, times) WITH ORDINALITY AS g (id, member, amount, at, place)
    ), inserted AS (
        INSERT INTO actions SELECT DISTINCT ON (id) id, g.member, amount, at
        FROM given g JOIN members USING (member) ORDER BY id, place
        ON CONFLICT DO NOTHING RETURNING external_id, member, cents, happened
    ), chains AS MATERIALIZED (
        SELECT i.member AS level0, i.cents, i.happened, a.referrer AS level1, b.referrer AS level2, c.referrer AS level3
        FROM inserted i JOIN members a ON a.member = i.member
        LEFT JOIN members b ON b.member = a.referrer LEFT JOIN members c ON c.member = b.referrer
    ), credits AS (
        SELECT member, sum(points)::bigint AS points, sum(cents)::bigint AS cents FROM (
            SELECT level0 AS member, cents / 100 AS points, 0 AS cents FROM chains
            UNION ALL SELECT level1, 0, (cents * 5 + 50) / 100 FROM chains WHERE level1 IS NOT NULL
            UNION ALL SELECT level2, 0, (cents * 3 + 50) / 100 FROM chains WHERE level2 IS NOT NULL
            UNION ALL SELECT level3, 0, (cents + 50) / 100 FROM chains WHERE level3 IS NOT NULL
        ) AS lines GROUP BY member
    ), paid AS (
        UPDATE members m SET points = m.points + c.points, cents = m.cents + c.cents
        FROM credits c WHERE m.member = c.member
    ), ranked AS (
        INSERT INTO board AS b
        SELECT date_trunc('month', happened AT TIME ZONE 'UTC')::date, level0, sum(cents / 100) FROM chains
        WHERE cents >= 100 GROUP BY 1, 2
        ON CONFLICT (month, member) DO UPDATE SET score = b.score + EXCLUDED.score
    )
    -- `actions` shows here what was known before this batch; the first of an id in the batch is done, others again.
    SELECT string_agg(CASE
        WHEN i.external_id IS NOT NULL AND g.place = min_place THEN
            CASE WHEN (i.member, i.cents, i.happened) = (g.member, g.amount, g.at) THEN 'd' ELSE 'c' END
        WHEN coalesce((i.member, i.cents, i.happened) = (g.member, g.amount, g.at),
                      (k.member, k.cents, k.happened) = (g.member, g.amount, g.at)) THEN 'a'
        WHEN i.external_id IS NULL AND k.external_id IS NULL THEN 'u'
        ELSE 'c' END, '' ORDER BY g.place) INTO verdicts
    FROM (SELECT *, min(place) OVER (PARTITION BY id) AS min_place FROM given) g
    LEFT JOIN inserted i ON i.external_id = g.id
    LEFT JOIN actions k ON k.external_id = g.id;
    RETURN verdicts;
END $$;
