-- Takes from one caller's bucket, as bucket.rs does, by this server's clock. Its hash holds `t`, when all that was taken of the burst will
-- be given back (microseconds), and what was taken in each second of the last minute under the second's number.
local interval, burst, per_minute, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000000 + tonumber(time[2])
local at_once = math.min(cost, burst)
cost = math.min(cost, per_minute)

local whole_at, taken, kept, past = now, 0, {}, {}
local held = redis.call('HGETALL', KEYS[1])
for i = 1, #held, 2 do
    local name, value = held[i], tonumber(held[i + 1])
    if name == 't' then
        whole_at = math.max(now, value)
    elseif tonumber(name) > second - 61 then
        taken = taken + value
        kept[#kept + 1] = { tonumber(name), value }
    else
        past[#past + 1] = name
    end
end
table.sort(kept, function(a, b) return a[1] < b[1] end)

local tolerance = interval * burst
local to = whole_at + interval * at_once
local wait = math.max(0, to - now - tolerance)
local excess, freed = taken + cost - per_minute, 0
if excess > 0 then
    for _, one in ipairs(kept) do
        freed = freed + one[2]
        if freed >= excess then
            wait = math.max(wait, (one[1] + 61) * 1000000 - now, 1)
            break
        end
    end
end

if wait == 0 then
    whole_at, taken = to, taken + cost
    redis.call('HSET', KEYS[1], 't', string.format('%.0f', whole_at))
    redis.call('HINCRBY', KEYS[1], time[1], cost)
    kept[#kept + 1] = { second, cost }
    if #past > 0 then redis.call('HDEL', KEYS[1], unpack(past)) end
    redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(62000, (whole_at - now) / 1000)))
end

local minute_whole = 0
if #kept > 0 then minute_whole = math.max(0, kept[#kept][1] + 61 - second) end
return {
    wait == 0 and 1 or 0,
    math.max(0, math.floor((tolerance - (whole_at - now)) / interval)),
    math.ceil((whole_at - now) / 1000000),
    math.max(0, per_minute - taken),
    minute_whole,
    wait,
}
