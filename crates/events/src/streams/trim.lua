-- Drops what every group of a stream has read and acknowledged, and readers that have been gone for an hour.
-- KEYS: the stream. Gives the number of entries dropped.
local function number(id)
    return tonumber(string.match(id, '^%d+'))
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err or #groups == 0 then
    return 0
end
local keep
for _, flat in ipairs(groups) do
    local group = {}
    for i = 1, #flat, 2 do
        group[flat[i]] = flat[i + 1]
    end
    local pending = redis.call('XPENDING', KEYS[1], group['name'])
    local first = pending[1] > 0 and number(pending[2]) or number(group['last-delivered-id']) + 1
    keep = math.min(keep or first, first)
    for _, reader in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group['name'])) do
        local known = {}
        for i = 1, #reader, 2 do
            known[reader[i]] = reader[i + 1]
        end
        if known['pending'] == 0 and known['idle'] > 3600000 then
            redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group['name'], known['name'])
        end
    end
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', keep))
