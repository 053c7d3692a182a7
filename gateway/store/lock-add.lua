-- Locks come into force: one that is set, or those that this server had forgotten. One that has ended never comes back.
--
-- KEYS: locks by id, ids that ended, head (epoch, mark of the last change).
-- ARGV: mark of this change; least epoch before it; most locks; channel; then id and lock, in turns.
-- Returns {epoch, how many were new}, or {-1, 0} when there is no room.
local new = (#ARGV - 4) / 2
if redis.call('HLEN', KEYS[1]) + new > tonumber(ARGV[3]) then return {-1, 0} end

local added = 0
for i = 5, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    added = added + redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end

local epoch, least = tonumber(redis.call('HGET', KEYS[3], 'epoch') or 0), tonumber(ARGV[2])
if added > 0 or epoch < least then
  epoch = math.max(epoch, least) + 1
  redis.call('HSET', KEYS[3], 'epoch', epoch, 'mark', ARGV[1])
  redis.call('PUBLISH', ARGV[4], epoch)
end
return {epoch, added}
