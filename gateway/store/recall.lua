-- What an agent did in the last hour, as it is now, for a call of it that is in flight and is not to see itself.
-- KEYS: recent operations. ARGV: operation of the call. Returns the operations. Mirrors recent-operations.ts.
local RECENT_US = 3600000000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local operations = {}
local uses = redis.call('HGETALL', KEYS[1])
for i = 1, #uses, 2 do
  local begun, used, calls = string.match(uses[i + 1], '(%d+) (%d+) (%d+)')
  begun, used, calls = tonumber(begun), tonumber(used), tonumber(calls)
  if uses[i] == ARGV[1] then calls = calls - 1 end
  local last = calls > 0 and math.max(begun, used) or used
  if last > now - RECENT_US then operations[#operations + 1] = uses[i] end
end
return operations
