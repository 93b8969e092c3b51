-- KEYS: the stream. ARGV: the group, the name under which waiting entries are kept.
-- Gives the entries that workers are at, and those that nobody has read; -1 where Redis does not know.
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
    return { 0, 0 }
end
local lag = 0
for _, flat in ipairs(groups) do
    local group = {}
    for i = 1, #flat, 2 do
        group[flat[i]] = flat[i + 1]
    end
    if group['name'] == ARGV[1] then
        lag = group['lag'] or -1
    end
end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1])
local taken = 0
if not pending.err and pending[1] > 0 then
    for _, reader in ipairs(pending[4]) do
        if reader[1] ~= ARGV[2] then
            taken = taken + tonumber(reader[2])
        end
    end
end
return { taken, lag }
