-- One action in one transaction. Rows are locked from high member numbers to low ones, so nobody waits in a circle.
CREATE FUNCTION score_action(id text, performer integer, value integer, at timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    above integer;
    credit bigint := value / 100;
    known boolean;
BEGIN
    INSERT INTO actions VALUES (id, performer, value, at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT (a.member, a.cents, a.happened) = (performer, value, at) INTO known FROM actions a WHERE external_id = id;
        RETURN CASE WHEN known THEN 'a' ELSE 'c' END;
    END IF;
    UPDATE members SET points = points + credit WHERE member = performer RETURNING referrer INTO above;
    IF NOT FOUND THEN
        DELETE FROM actions WHERE external_id = id;
        RETURN 'u';
    END IF;
    IF credit > 0 THEN
        INSERT INTO board AS b VALUES (date_trunc('month', at AT TIME ZONE 'UTC')::date, performer, credit)
        ON CONFLICT (month, member) DO UPDATE SET score = b.score + EXCLUDED.score;
    END IF;
    IF above IS NULL THEN RETURN 'd'; END IF;
    UPDATE members SET cents = cents + (value * 5 + 50) / 100 WHERE member = above RETURNING referrer INTO above;
    IF above IS NULL THEN RETURN 'd'; END IF;
    UPDATE members SET cents = cents + (value * 3 + 50) / 100 WHERE member = above RETURNING referrer INTO above;
    IF above IS NULL THEN RETURN 'd'; END IF;
    UPDATE members SET cents = cents + (value + 50) / 100 WHERE member = above;
    RETURN 'd';
END $$;
