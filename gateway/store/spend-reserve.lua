-- A call is about to spend: its sum is added, and what was there before is answered. One step, so that of two calls at
-- once the second sees the first.
--
-- KEYS: sums of the agent's day, sums of its task (the day again for none).
-- ARGV: call id; currency; minor units; 1 when there is a task; largest sum; ttl of the day, ttl of the task (ms).
-- Returns {day, task} as text, which numbers of a reply could not hold for sure, or {} when a sum would be too large.
local call, currency, minor, has_task = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local most = tonumber(ARGV[5])

local day = tonumber(redis.call('HGET', KEYS[1], currency) or 0)
local task = has_task and tonumber(redis.call('HGET', KEYS[2], currency) or 0) or 0
if day + minor > most or task + minor > most then return {} end

redis.call('HINCRBY', KEYS[1], currency, ARGV[3])
-- What is held is remembered by call: given back once, and only where it was taken.
redis.call('HSET', KEYS[1], 'r:' .. call, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if has_task then
  redis.call('HINCRBY', KEYS[2], currency, ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
return { string.format('%.0f', day), string.format('%.0f', task) }
