-- An exact rank counts who stands above.
CREATE FUNCTION board_rank(who integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT 1 + count(*) FROM board WHERE month = '2026-11-01'
    AND score > (SELECT score FROM board WHERE month = '2026-11-01' AND member = who)
$$;

-- Five places with a member in their middle.
CREATE FUNCTION board_around(who integer) RETURNS TABLE (rank bigint, member integer, score bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    own bigint;
    place bigint;
BEGIN
    SELECT b.score INTO own FROM board b WHERE b.month = '2026-11-01' AND b.member = who;
    SELECT 1 + count(*) INTO place FROM board b WHERE b.month = '2026-11-01' AND b.score > own;
    RETURN QUERY (SELECT place, b.member, b.score FROM board b WHERE b.month = '2026-11-01' AND b.score > own
        ORDER BY b.month, b.score LIMIT 2);
    RETURN QUERY SELECT place, who, own WHERE own IS NOT NULL;
    RETURN QUERY (SELECT place, b.member, b.score FROM board b WHERE b.month = '2026-11-01' AND b.score < own
        ORDER BY b.month DESC, b.score DESC LIMIT 2);
END $$;
