-- Does something to an entry if it is still this worker's, at this attempt.
-- KEYS: the stream. ARGV: the group, the worker, the entry, the attempt, what: `look`, `end`, or `move` to ARGV[6] with ARGV[7]
-- milliseconds gone and ARGV[8] attempts. Gives 1, or 0 when it is not the worker's.
local key, group, entry = KEYS[1], ARGV[1], ARGV[3]
local held = redis.pcall('XPENDING', key, group, entry, entry, 1)
if held.err or not held[1] or held[1][2] ~= ARGV[2] or held[1][4] ~= tonumber(ARGV[4]) then
    return 0
end
if ARGV[5] == 'end' then
    redis.call('XACK', key, group, entry)
elseif ARGV[5] == 'move' then
    redis.call('XCLAIM', key, group, ARGV[6], 0, entry, 'IDLE', ARGV[7], 'RETRYCOUNT', ARGV[8], 'JUSTID')
end
return 1
