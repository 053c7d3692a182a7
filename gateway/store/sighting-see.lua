-- Something suspicious was seen of a subject. What `addSighting` in sighting-store.ts does, in one step for a fleet.
--
-- KEYS: sightings of the subject, as JSON.
-- ARGV: threshold; window (ms); sightings while it was quiet that whoever asks has counted by itself.
-- Returns {1, quiet (ms), count, suppressed} when it is raised, or {0, quiet (ms)}; 0 where it is not quiet.
local threshold, window, missed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('GET', KEYS[1])
local state = known and cjson.decode(known) or { quiet = 0, suppressed = 0, at = {} }
state.suppressed = state.suppressed + missed
local answer = { 0, 0 }

if now < state.quiet then
  state.suppressed = state.suppressed + 1
  answer = { 0, state.quiet - now }
else
  local at = {}
  for _, each in ipairs(state.at) do
    if each > now - window then at[#at + 1] = each end
  end
  at[#at + 1] = now
  if #at < threshold then
    state.at = at
  else
    answer = { 1, window, #at, state.suppressed }
    state = { quiet = now + window, suppressed = 0, at = {} }
  end
end

redis.call('SET', KEYS[1], cjson.encode(state), 'PX', window * 2)
return answer
