-- Takes a lock and gives its fence; 0 when another has it.
-- KEYS: lock, fence. ARGV: token, ms.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return redis.call('INCR', KEYS[2])
end
return 0
