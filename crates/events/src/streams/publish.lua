-- Adds entries under the numbers that the store gave them; those that are there already are left out.
-- KEYS: the stream. ARGV: the group (none when empty), the number up to which all entries are known to have been added, then number, task and
-- what it is about, for each. Gives the number that the stream had come to; when it is less than what is known the stream has
-- forgotten something, and nothing is added.
local last = 0
local held = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not held.err then
    for i = 1, #held, 2 do
        if held[i] == 'last-generated-id' then
            last = tonumber(string.match(held[i + 1], '^%d+'))
        end
    end
end
if last < tonumber(ARGV[2]) then
    return last
end
if ARGV[1] ~= '' then
    redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
end
for i = 3, #ARGV, 3 do
    if tonumber(ARGV[i]) > last then
        redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 'task', ARGV[i + 1], 'about', ARGV[i + 2])
    end
end
return last
