-- Says how the call of an Idempotency-Key ended.
-- KEYS: 1 the key
-- ARGV: 1 call id, 2 whether it was made, 3 milliseconds to remember it
if redis.call('HGET', KEYS[1], 'call') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'done', '1')
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
