-- A call is still in flight: its places are leased again. Also puts them back after a failover that lost them.
-- KEYS: the concurrency sets. ARGV: call id, then one lease (ms) per set.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 1, #KEYS do
  local lease = tonumber(ARGV[1 + i])
  redis.call('ZADD', KEYS[i], string.format('%.0f', now + lease * 1000), ARGV[1])
  redis.call('PEXPIRE', KEYS[i], lease)
end
return 0
