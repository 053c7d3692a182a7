-- An approval is kept, unless what is kept is no longer what whoever changed it had read; or, for a new one, unless another
-- is open for the same call, or too many wait already. Everything that it is found by changes with it.
--
-- KEYS: the approval; the open one of its call; ids by when time next changes them; ids that wait, of this agent; ids by when
--       they were over; ids that wait, of this kind; ids by when they were made, one key for each state, pending first.
-- ARGV: id; the approval; SHA-1 of what was read, empty for a new one; which of the states, from 1; 1 while it is open;
--       when it was made; when time next changes it, or, once it is over, since when; how long it is kept then (ms); channel;
--       most that wait of one agent; most that wait; what the id stands behind in the key of the approval.
-- Returns 1 when it is kept, 0 when something else is there, -1 or -2 when too many wait (of the agent, overall).
local id, read, state, open = ARGV[1], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
local held = redis.call('GET', KEYS[1])
if (held and redis.sha1hex(held) or '') ~= read then return 0 end

if read == '' then
  local other = redis.call('GET', KEYS[2])
  if other and redis.call('EXISTS', ARGV[12] .. other) == 1 then return 0 end
  if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[10]) then return -1 end
  if redis.call('ZCARD', KEYS[7]) >= tonumber(ARGV[11]) then return -2 end
end

for at = 7, #KEYS do
  if at ~= state + 6 then redis.call('ZREM', KEYS[at], id) end
end
redis.call('ZADD', KEYS[state + 6], ARGV[6], id)
for _, waiting in ipairs({ KEYS[4], KEYS[6] }) do
  if state == 1 then redis.call('ZADD', waiting, ARGV[6], id) else redis.call('ZREM', waiting, id) end
end
-- Whatever is lost, an agent does not count as waiting for longer than people may be given to answer.
redis.call('PEXPIRE', KEYS[4], 31 * 86400000)

if open then
  redis.call('SET', KEYS[1], ARGV[2])
  redis.call('SET', KEYS[2], id)
  redis.call('ZADD', KEYS[3], ARGV[7], id)
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[8])
  if redis.call('GET', KEYS[2]) == id then redis.call('DEL', KEYS[2]) end
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZADD', KEYS[5], ARGV[7], id)
end
redis.call('PUBLISH', ARGV[9], id)
return 1
