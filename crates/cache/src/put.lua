-- Puts an entry, unless one of a later fence is there; what is beyond the number of entries goes, oldest first.
-- KEYS: entry, newest. ARGV: bytes, fence, ttl in ms, now in ms, most entries.
local fence = KEYS[1] .. ':fence'
local held = redis.call('GET', fence)
if not (held and tonumber(held) > tonumber(ARGV[2])) then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
    redis.call('SET', fence, ARGV[2], 'PX', ARGV[3])
    redis.call('ZADD', KEYS[2], ARGV[4], KEYS[1])
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[4]) - tonumber(ARGV[3]))
end
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[5])
if over > 0 then
    local oldest = redis.call('ZPOPMIN', KEYS[2], over)
    for at = 1, #oldest, 2 do
        redis.call('DEL', oldest[at], oldest[at] .. ':fence')
    end
end
return redis.call('ZCARD', KEYS[2])
