-- One call has ended: its places are given back and the counters of its agent learn how it went.
--
-- KEYS: agent, used operations, task, recent operations, then the concurrency sets.
-- ARGV: call id; operation; 1 for a write; 1 when there is a task; 1 each for forwarded, succeeded, denied,
--       errored, failed; then the agent's breaker: failures, bucket (us), open (us); ttl of the agent's counters (ms).
local SCALE, BUCKETS = 100000, 7
local DENIALS_US, ERRORS_US = 100000000, 600000000
local USED_TTL_MS, MINUTE_US = 2592000000, 60000000

local call, operation = ARGV[1], ARGV[2]
local write, has_task = ARGV[3] == '1', ARGV[4] == '1'
local forwarded, succeeded = ARGV[5] == '1', ARGV[6] == '1'
local denied, errored, failed = ARGV[7] == '1', ARGV[8] == '1', ARGV[9] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

for i = 5, #KEYS do
  redis.call('ZREM', KEYS[i], call)
end

-- Mirrors recent-operations.ts.
local held = redis.call('HGET', KEYS[4], operation)
local begun, used, calls = string.match(held or '0 0 0', '(%d+) (%d+) (%d+)')
begun, used, calls = tonumber(begun), tonumber(used), math.max(0, tonumber(calls) - 1)

-- Thirty days are begun anew once in a minute, not with each call.
local is_first = math.floor(used / MINUTE_US) ~= math.floor(now / MINUTE_US)
if succeeded and (redis.call('SADD', KEYS[2], operation) == 1 or is_first) then
  redis.call('PEXPIRE', KEYS[2], USED_TTL_MS)
end

local function take_back(field)
  if redis.call('HEXISTS', KEYS[3], field) == 1 and redis.call('HINCRBY', KEYS[3], field, -1) <= 0 then
    redis.call('HDEL', KEYS[3], field)
  end
end
if has_task then
  if write and not forwarded then take_back('w') end
  if not succeeded then take_back('o:' .. operation) end
end

if forwarded then used = now end
if calls == 0 and used == 0 then
  redis.call('HDEL', KEYS[4], operation)
else
  redis.call('HSET', KEYS[4], operation, string.format('%.0f %.0f %.0f', begun, used, calls))
  -- Admission has just done so for a call that began just now.
  if now - begun > MINUTE_US then redis.call('PEXPIRE', KEYS[4], ARGV[13]) end
end

-- Mirrors sliding-count.ts.
local function add(prefix, width)
  local period = math.floor(now / width)
  local field = prefix .. string.format('%.0f', period % BUCKETS)
  local held = tonumber(redis.call('HGET', KEYS[1], field) or 0)
  local count = math.floor(held / SCALE) == period and math.min(held % SCALE + 1, SCALE - 1) or 1
  redis.call('HSET', KEYS[1], field, string.format('%.0f', period * SCALE + count))
end

if denied then add('d', DENIALS_US) end
if errored then add('e', ERRORS_US) end
if failed then
  local open_until = tonumber(redis.call('HGET', KEYS[1], 'open') or 0)
  -- Calls that were in flight when it opened do not keep it open.
  if open_until <= now then
    local most, width = tonumber(ARGV[10]), tonumber(ARGV[11])
    add('f', width)
    local period, total = math.floor(now / width), 0
    for _, packed in ipairs(redis.call('HMGET', KEYS[1], 'f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6')) do
      local held = tonumber(packed or 0)
      if held > 0 and period - math.floor(held / SCALE) < BUCKETS then total = total + held % SCALE end
    end
    if total >= most then
      redis.call('HDEL', KEYS[1], 'f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6')
      redis.call('HSET', KEYS[1], 'open', string.format('%.0f', now + tonumber(ARGV[12])))
    end
  end
end
if denied or errored or failed then redis.call('PEXPIRE', KEYS[1], ARGV[13]) end
return 0
