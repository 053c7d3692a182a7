-- A lock is changed, unless it is no longer what whoever changed it had read.
--
-- KEYS: locks by id, ids that ended (not used), head.
-- ARGV: mark of this change; channel; id; the lock as it was read; the lock as it is to be.
-- Returns 1 when it was changed.
if redis.call('HGET', KEYS[1], ARGV[3]) ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[5])
redis.call('HINCRBY', KEYS[3], 'epoch', 1)
redis.call('HSET', KEYS[3], 'mark', ARGV[1])
redis.call('PUBLISH', ARGV[2], redis.call('HGET', KEYS[3], 'epoch'))
return 1
