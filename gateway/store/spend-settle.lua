-- A call that reserved a sum has ended: the sum stays, or is given back. Of a reservation that is not known here (settled
-- before, or lost in a failover together with its sum) nothing is given back.
--
-- KEYS: sums of the agent's day, sums of its task (the day again for none).
-- ARGV: call id; currency; 1 when there is a task; 1 when the sum is given back.
local reservation, currency = 'r:' .. ARGV[1], ARGV[2]
local held = redis.call('HGET', KEYS[1], reservation)
if not held then return 0 end
redis.call('HDEL', KEYS[1], reservation)
if ARGV[4] ~= '1' then return 1 end

local function give_back(key)
  local sum = redis.call('HGET', key, currency)
  if not sum then return end
  if tonumber(sum) <= tonumber(held) then redis.call('HDEL', key, currency)
  else redis.call('HINCRBY', key, currency, '-' .. held) end
end
give_back(KEYS[1])
if ARGV[3] == '1' then give_back(KEYS[2]) end
return 1
