-- Locks end: one that is released, or all whose time is over by the clock of this server. Their ids are remembered, so that
-- a gateway that has not heard of it does not take them for forgotten.
--
-- KEYS: locks by id, ids that ended, head.
-- ARGV: mark of this change; channel; how long ids are remembered (ms); how many of them; id, or nothing for the expired.
-- Returns the locks that ended.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = {}

local function finish(id, lock)
  ended[#ended + 1] = lock
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZADD', KEYS[2], now_ms, id)
end

if ARGV[5] then
  local lock = redis.call('HGET', KEYS[1], ARGV[5])
  if lock then finish(ARGV[5], lock) end
else
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local expires_ms = cjson.decode(all[i + 1])['expiresAtMs']
    if expires_ms and expires_ms <= now_ms then finish(all[i], all[i + 1]) end
  end
end

if #ended > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now_ms - tonumber(ARGV[3]))
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
  redis.call('HINCRBY', KEYS[3], 'epoch', 1)
  redis.call('HSET', KEYS[3], 'mark', ARGV[1])
  redis.call('PUBLISH', ARGV[2], redis.call('HGET', KEYS[3], 'epoch'))
end
return ended
