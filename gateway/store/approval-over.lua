-- Which of many approvals wait for people no longer, or are not there at all: one trip for all whose word may have been lost.
--
-- KEYS: ids that are pending.
-- ARGV: what the id stands behind in the key of the approval (same hash tag); ids.
-- Returns the ids of those.
local over = {}
for at = 2, #ARGV do
  local id = ARGV[at]
  if not redis.call('ZSCORE', KEYS[1], id) or redis.call('EXISTS', ARGV[1] .. id) == 0 then over[#over + 1] = id end
end
return over
