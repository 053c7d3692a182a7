-- One call asks to be admitted: everything is looked at first, then written together or not at all.
-- The proof's replay mark alone is written whatever follows. Order and reasons: adr/0003.
--
-- KEYS: agent, used operations, task, tasks of the agent, replay, recent operations,
--       then rates, quotas, concurrency sets.
-- ARGV: numbers of rates, quotas, concurrency sets; replay ttl (ms, 0 for none); call id; operation;
--       1 for a write; task name ('' for none); ttl of the agent's counters (ms);
--       then per rate: interval (us), burst; per quota: calls; per concurrency set: calls, lease (ms).
-- Returns {code, position, wait us, calls, denials, errors, writes, first use, number of operations of the task,
--          per rate: remaining, reset us; per quota: remaining, reset us; then operations of the task,
--          then operations of the last hour}.
local ADMITTED, REPLAYED, STOPPED, RATE, QUOTA, CONCURRENCY = 0, 1, 2, 3, 4, 5
local SCALE, BUCKETS = 100000, 7
local CALLS_US, DENIALS_US, ERRORS_US = 10000000, 100000000, 600000000
local DAY_US = 86400000000
local TASK_TTL_MS = 86400000
local MOST_TASK_OPERATIONS, MOST_AGENT_TASKS, MOST_RECENT_OPERATIONS = 128, 256, 128
local RECENT_US = 3600000000
local FIXED, FIXED_KEYS = 9, 6
local CALLS = { 'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6' }
local DENIALS = { 'd0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6' }
local ERRORS = { 'e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6' }

local rates, quotas, sets = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local replay_ttl = tonumber(ARGV[4])
local call, operation, write, task = ARGV[5], ARGV[6], ARGV[7] == '1', ARGV[8]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

if replay_ttl > 0 and not redis.call('SET', KEYS[5], '', 'PX', replay_ttl, 'NX') then
  return { REPLAYED }
end

-- All there are cost less than naming those that are wanted.
local counters, fields = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  counters[fields[i]] = tonumber(fields[i + 1])
end

local open_until = counters.open or 0
if open_until > now then
  return { STOPPED, 0, open_until - now }
end

-- Mirrors sliding-count.ts.
local function count(names, width)
  local period, total = math.floor(now / width), 0
  for i = 1, BUCKETS do
    local held = counters[names[i]]
    if held and period - math.floor(held / SCALE) < BUCKETS then
      total = total + held % SCALE
    end
  end
  return total
end

local code, position, wait = ADMITTED, 0, 0
-- The longest wait is the one reported: whoever waits that long is not refused by another limit meanwhile.
local function deny(by, index, needed)
  if needed > wait then code, position, wait = by, index, needed end
end

-- Mirrors gcra.ts.
local tats = {}
local held = {}
if rates + quotas > 0 then
  held = redis.call('MGET', unpack(KEYS, FIXED_KEYS + 1, FIXED_KEYS + rates + quotas))
end
for i = 1, rates do
  local interval, burst = tonumber(ARGV[FIXED + 2 * i - 1]), tonumber(ARGV[FIXED + 2 * i])
  local tat = math.min(math.max(tonumber(held[i] or 0), now), now + burst * interval)
  tats[i] = tat
  deny(RATE, i, tat + interval - now - burst * interval)
end

-- A quota is one number, day * 1e9 + calls of that day, so that it turns over without a clock of ours.
local day = math.floor(now / DAY_US)
local spent = {}
local quota_args = FIXED + 2 * rates
for i = 1, quotas do
  local packed = tonumber(held[rates + i] or 0)
  spent[i] = math.floor(packed / 1000000000) == day and packed % 1000000000 or 0
  if spent[i] >= tonumber(ARGV[quota_args + i]) then deny(QUOTA, i, (day + 1) * DAY_US - now) end
end

local set_args, set_keys = quota_args + quotas, FIXED_KEYS + rates + quotas
for i = 1, sets do
  local taken = redis.call('ZCOUNT', KEYS[set_keys + i], '(' .. string.format('%.0f', now), '+inf')
  if taken >= tonumber(ARGV[set_args + 2 * i - 1]) then deny(CONCURRENCY, i, 1000000) end
end

local admitted = code == ADMITTED
local answer = { code, position, wait, 0, 0, 0, 0, 0, 0 }
local function put(remaining, reset)
  answer[#answer + 1] = remaining
  answer[#answer + 1] = reset
end

for i = 1, rates do
  local interval, burst = tonumber(ARGV[FIXED + 2 * i - 1]), tonumber(ARGV[FIXED + 2 * i])
  local tat = tats[i]
  if admitted then
    tat = tat + interval
    redis.call('SET', KEYS[FIXED_KEYS + i], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000))
  end
  put(math.max(0, math.floor((burst * interval - (tat - now)) / interval)), tat - now)
end
for i = 1, quotas do
  local used = spent[i]
  local reset = (day + 1) * DAY_US - now
  if admitted then
    used = used + 1
    redis.call('SET', KEYS[FIXED_KEYS + rates + i], string.format('%.0f', day * 1000000000 + used),
      'PX', math.ceil(reset / 1000))
  end
  put(math.max(0, tonumber(ARGV[quota_args + i]) - used), reset)
end
if not admitted then return answer end

for i = 1, sets do
  local key, lease = KEYS[set_keys + i], tonumber(ARGV[set_args + 2 * i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  redis.call('ZADD', key, string.format('%.0f', now + lease * 1000), call)
  -- Every place was leased for the same time, so the last one taken is the last one to lapse.
  redis.call('PEXPIRE', key, lease)
end

answer[4], answer[5], answer[6] = count(CALLS, CALLS_US), count(DENIALS, DENIALS_US), count(ERRORS, ERRORS_US)
local period = math.floor(now / CALLS_US)
local slot = CALLS[period % BUCKETS + 1]
local packed = counters[slot] or 0
local is_first = math.floor(packed / SCALE) ~= period
local calls = is_first and 1 or math.min(packed % SCALE + 1, SCALE - 1)
redis.call('HSET', KEYS[1], slot, string.format('%.0f', period * SCALE + calls))
-- Once in ten seconds will do: the time to live has a margin of minutes.
if is_first then redis.call('PEXPIRE', KEYS[1], ARGV[9]) end

answer[8] = 1 - redis.call('SISMEMBER', KEYS[2], operation)

if task ~= '' then
  local fields = redis.call('HGETALL', KEYS[3])
  local known, operations = false, 0
  for i = 1, #fields, 2 do
    if fields[i] == 'w' then
      answer[7] = tonumber(fields[i + 1])
    else
      local name = string.sub(fields[i], 3)
      operations = operations + 1
      known = known or name == operation
      answer[#answer + 1] = name
    end
  end
  answer[9] = operations
  -- The client chooses task names, so their number is bounded: the oldest task of this agent makes room.
  if #fields == 0 then
    redis.call('ZADD', KEYS[4], string.format('%.0f', now), task)
    redis.call('PEXPIRE', KEYS[4], TASK_TTL_MS)
    if redis.call('ZCARD', KEYS[4]) > MOST_AGENT_TASKS then
      local oldest = redis.call('ZPOPMIN', KEYS[4])
      redis.call('DEL', string.sub(KEYS[3], 1, -1 - #task) .. oldest[1])
    end
  end
  if write then redis.call('HINCRBY', KEYS[3], 'w', 1) end
  if known or operations < MOST_TASK_OPERATIONS then redis.call('HINCRBY', KEYS[3], 'o:' .. operation, 1) end
  redis.call('PEXPIRE', KEYS[3], TASK_TTL_MS)
end

-- Mirrors recent-operations.ts: per operation 'begun used in-flight', two times (us) and a number of calls.
local own_used, own_calls, known, lapsed, recent, forgotten = 0, 0, false, {}, {}, 0
local uses = redis.call('HGETALL', KEYS[6])
for i = 1, #uses, 2 do
  local name = uses[i]
  local begun, used, calls = string.match(uses[i + 1], '(%d+) (%d+) (%d+)')
  begun, used, calls = tonumber(begun), tonumber(used), tonumber(calls)
  local last = calls > 0 and math.max(begun, used) or used
  if last <= now - RECENT_US then
    lapsed[#lapsed + 1] = name
  else
    if name == '*' then forgotten = used else recent[#recent + 1] = { name, last } end
    answer[#answer + 1] = name
    if name == operation then known, own_used, own_calls = true, used, calls end
  end
end
if not known and #recent >= MOST_RECENT_OPERATIONS then
  table.sort(recent, function(one, other) return one[2] > other[2] end)
  for i = MOST_RECENT_OPERATIONS, #recent do
    lapsed[#lapsed + 1] = recent[i][1]
    forgotten = math.max(forgotten, recent[i][2])
  end
  redis.call('HSET', KEYS[6], '*', string.format('0 %.0f 0', forgotten))
end
if #lapsed > 0 then redis.call('HDEL', KEYS[6], unpack(lapsed)) end
redis.call('HSET', KEYS[6], operation, string.format('%.0f %.0f %.0f', now, own_used, own_calls + 1))
-- A hash that nothing was left in has lost its time to live with its last field.
if is_first or #uses == 2 * #lapsed then redis.call('PEXPIRE', KEYS[6], ARGV[9]) end
return answer
