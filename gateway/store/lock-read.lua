-- Everything that is known of locks, as of one moment.
--
-- KEYS: locks by id, ids that ended, head.
-- Returns {epoch, mark, milliseconds of this server's clock as text, locks, ids that ended}.
local time = redis.call('TIME')
local head = redis.call('HMGET', KEYS[3], 'epoch', 'mark')
return {
  tonumber(head[1] or 0),
  head[2] or '',
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
  redis.call('HVALS', KEYS[1]),
  redis.call('ZRANGE', KEYS[2], 0, -1),
}
