-- An exact rank counts who stands above.
CREATE FUNCTION board_rank(who integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT 1 + count(*) FROM board WHERE month = '2026-11-01'
    AND score > (SELECT score FROM board WHERE month = '2026-11-01' AND member = who)
$$;

-- Five places with a member in their middle.
CREATE FUNCTION board_around(who integer) RETURNS TABLE (rank bigint, member integer, score bigint)
LANGUAGE sql STABLE AS $$
    WITH own AS (SELECT b.member, b.score FROM board b WHERE month = '2026-11-01' AND b.member = who),
    near AS (
        (SELECT b.member, b.score FROM board b, own WHERE month = '2026-11-01' AND b.score > own.score
         ORDER BY b.score LIMIT 2)
        UNION ALL SELECT * FROM own UNION ALL
        (SELECT b.member, b.score FROM board b, own WHERE month = '2026-11-01' AND b.score < own.score
         ORDER BY b.score DESC LIMIT 2)
    )
    SELECT board_rank(who), near.member, near.score FROM near ORDER BY near.score DESC
$$;
