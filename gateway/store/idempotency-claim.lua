-- Claims an Idempotency-Key for one call, or says what became of it.
-- KEYS: 1 the key
-- ARGV: 1 fingerprint, 2 call id, 3 milliseconds to remember it
-- Answers {0} claimed · {1} in flight · {2, call id} done · {3} used for something else
local used = redis.call('HMGET', KEYS[1], 'fingerprint', 'call', 'done')
if not used[1] then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'call', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return { 0 }
end
if used[1] ~= ARGV[1] then return { 3 } end
-- An answer that was lost on the way is asked for again by the same call.
if used[2] == ARGV[2] then return { 0 } end
if used[3] then return { 2, used[2] } end
return { 1 }
