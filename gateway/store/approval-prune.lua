-- Approvals that are over are forgotten: those that have been for long, and the oldest where there are too many; so many at
-- a time that nobody waits for it.
--
-- KEYS: ids by when they were over; then all else that ids are found by.
-- ARGV: how long they are kept (ms); how many are; most at a time; what the id stands behind in the key of the approval.
-- Returns how many were forgotten.
local time = redis.call('TIME')
local before_ms = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
local most = tonumber(ARGV[3])
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', before_ms), 'LIMIT', 0, most)
local excess = math.min(redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2]), most)
-- Both begin with the oldest, so that the longer holds the other.
if excess > #old then old = redis.call('ZRANGE', KEYS[1], 0, excess - 1) end

for _, id in ipairs(old) do
  redis.call('DEL', ARGV[4] .. id)
  for at = 1, #KEYS do redis.call('ZREM', KEYS[at], id) end
end
return #old
