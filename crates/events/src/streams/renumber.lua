-- Lets a stream that forgot something, or that a newer copy of the store filled, go on behind a number, by an entry of no task.
-- KEYS: the stream. ARGV: the group (none when empty), the number.
if ARGV[1] ~= '' then
    redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
end
-- Refused where the stream has come as far already.
local added = redis.pcall('XADD', KEYS[1], ARGV[2] .. '-0', 'task', '0')
if ARGV[1] == '' and type(added) == 'string' then
    redis.call('XDEL', KEYS[1], added)
end
return 0
