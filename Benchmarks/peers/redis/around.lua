-- Five places of a board with a member in their middle. KEYS: board. ARGV: member.
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
if not rank then return {} end
local first = rank > 2 and rank - 2 or 0
return {rank, redis.call('ZREVRANGE', KEYS[1], first, first + 4, 'WITHSCORES')}
