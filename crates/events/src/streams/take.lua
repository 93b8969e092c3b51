-- Takes an entry for a worker: one whose time ran out, else the next new one.
-- KEYS: the stream. ARGV: the group, the worker, milliseconds after which an entry counts as left, milliseconds of the lease.
-- Gives {id, attempt, task}, or nothing.
local key, group, worker, left, lease = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entry
for _ = 1, 16 do
    local late = redis.pcall('XPENDING', key, group, 'IDLE', left, '-', '+', 1)
    if late.err then
        return false
    end
    if late[1] then
        entry = redis.call('XAUTOCLAIM', key, group, worker, left, late[1][1], 'COUNT', 1)[2][1]
    else
        local new = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', 1, 'STREAMS', key, '>')
        entry = new and new[1] and new[1][2][1]
        if not entry then
            return false
        end
    end
    -- One that was trimmed is no entry any more; the next.
    if entry then
        break
    end
end
if not entry then
    return false
end
local attempt = redis.call('XPENDING', key, group, entry[1], entry[1], 1)[1][4]
redis.call('XCLAIM', key, group, worker, 0, entry[1], 'IDLE', math.max(left - lease, 0), 'RETRYCOUNT', attempt, 'JUSTID')
return { entry[1], attempt, entry[2][2] }
