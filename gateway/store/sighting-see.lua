-- Something suspicious was seen of a subject. What `addSighting` in sighting-store.ts does, in one step for a fleet.
--
-- KEYS: sightings of the subject, as JSON.
-- ARGV: threshold; window (ms).
-- Returns {1, count, suppressed} when it is raised, or {0}.
local threshold, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('GET', KEYS[1])
local state = known and cjson.decode(known) or { quiet = 0, suppressed = 0, at = {} }
local answer = { 0 }

if now < state.quiet then
  state.suppressed = state.suppressed + 1
else
  local at = {}
  for _, each in ipairs(state.at) do
    if each > now - window then at[#at + 1] = each end
  end
  at[#at + 1] = now
  if #at < threshold then
    state.at = at
  else
    answer = { 1, #at, state.suppressed }
    state = { quiet = now + window, suppressed = 0, at = {} }
  end
end

redis.call('SET', KEYS[1], cjson.encode(state), 'PX', window * 2)
return answer
