-- One action, all or nothing. KEYS: external id, performer, board. ARGV: value in hundredths, time.
-- A member's hash holds the three members above it (u1, u2, u3), its points, and its commission in hundredths (cents).
local above = redis.call('HMGET', KEYS[2], 'u1', 'u2', 'u3')
if not above[1] then return redis.status_reply('UNKNOWN') end
local content = KEYS[2] .. '|' .. ARGV[1] .. '|' .. ARGV[2]
if not redis.call('SET', KEYS[1], content, 'NX') then
    if redis.call('GET', KEYS[1]) == content then return redis.status_reply('DUPLICATE') end
    return redis.status_reply('CONFLICT')
end
local cents = tonumber(ARGV[1])
if cents >= 100 then
    local points = (cents - cents % 100) / 100
    redis.call('HINCRBY', KEYS[2], 'points', points)
    redis.call('ZINCRBY', KEYS[3], points, KEYS[2])
end
local percents = {5, 3, 1}
for level = 1, 3 do
    if above[level] == '' then break end
    local hundredths = cents * percents[level] + 50
    local commission = (hundredths - hundredths % 100) / 100
    if commission > 0 then redis.call('HINCRBY', above[level], 'cents', commission) end
end
return redis.status_reply('DONE')
