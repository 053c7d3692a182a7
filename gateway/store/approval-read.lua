-- An approval as it is now, and the time: by its id, or as the one that is open for a call.
--
-- KEYS: the approval; or the open one of a call, which holds an id.
-- ARGV: nothing; or what the id stands behind in the key of the approval (same hash tag).
-- Returns {approval or nothing, milliseconds of this server's clock as text}.
local time = redis.call('TIME')
local held = redis.call('GET', KEYS[1])
if held and ARGV[1] then held = redis.call('GET', ARGV[1] .. held) end
return { held, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) }
