"""What runs inside Redis: scripts, so that a put is refused, and a list is whole, whoever writes at the same time.

Keys, as the specification has them, with a TTL of an hour each:

- ``task:{task_id}``: the record as JSON; ``project:{project_id}`` likewise.
- ``active_tasks``: the set of the ids of tasks that have not ended.

Beside them, in the same slot of a cluster as ``active_tasks`` (that is what the braces are for):

- ``{active_tasks}:state``, a hash. ``epoch`` is a random word for the life of all of these; ``version`` counts puts;
  ``forgotten`` is the version of the newest put that is no longer noted; ``active`` and ``newest`` count the fills of
  the list (absent: not known to be whole); ``actives``, ``newests``, ``changes`` are how many members the three
  collections must have, so that one that was evicted is noticed.
- ``{active_tasks}:newest``, a sorted set of ids by creation; ``{active_tasks}:changes``, ids by the version of their
  last put; ``{active_tasks}:records``, a hash of the records of all that are in one of the three.
"""

from __future__ import annotations

import hashlib


class Script:
    """A script and the digest that Redis knows it by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


LIST_KEYS = (
    "active_tasks",
    "{active_tasks}:state",
    "{active_tasks}:newest",
    "{active_tasks}:changes",
    "{active_tasks}:records",
)

_TIMESTAMP = r"""
local function timestamp(record)
  return record and tonumber(string.match(record, '^{"task_id":"[^"]*","timestamp":(%d+)'))
end
"""
"""Records are written with these two fields first; an id holds no quotation mark."""

PUT_TASK = Script(
    _TIMESTAMP
    + """
-- KEYS: task:{task_id}; ARGV: record, timestamp, TTL
local known = timestamp(redis.call('GET', KEYS[1]))
if known and known > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
"""
)

TURN = Script(
    """
-- KEYS: turns:{name}, the times in µs of the last turns given out; ARGV: turns in a period, period in µs
local seconds, micros = unpack(redis.call('TIME'))
local now = seconds * 1000000 + micros
local oldest = redis.call('LINDEX', KEYS[1], ARGV[1] - 1)
local at = oldest and math.max(now, oldest + ARGV[2]) or now
redis.call('LPUSH', KEYS[1], string.format('%.0f', at))
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil((at - now + ARGV[2]) / 1000))
return string.format('%.0f', at - now)
"""
)

PUT_PROJECT = Script(
    """
-- KEYS: project:{project_id}; ARGV: record, updated_at, TTL
local known = redis.call('GET', KEYS[1])
local updated = known and string.match(known, '"updated_at":"([^"]*)"')
if updated and updated > ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
"""
)

_LISTS = (
    _TIMESTAMP
    + """
local active, state, newest, changes, records = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function begin(epoch)
  if redis.call('EXISTS', state) == 0 then
    redis.call('DEL', active, newest, changes, records)
    redis.call('HSET', state, 'epoch', epoch, 'version', 0, 'forgotten', 0)
  end
end

local function settle(ttl)
  redis.call('HSET', state, 'actives', redis.call('SCARD', active), 'newests', redis.call('ZCARD', newest),
    'changes', redis.call('ZCARD', changes))
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
end

local function forget(id)
  if redis.call('SISMEMBER', active, id) == 0 and not redis.call('ZSCORE', newest, id)
      and not redis.call('ZSCORE', changes, id) then
    redis.call('HDEL', records, id)
  end
end

local function cut(key, most)
  local beyond = redis.call('ZCARD', key) - most
  if beyond <= 0 then return nil end
  local gone = redis.call('ZPOPMIN', key, beyond)
  for place = 1, #gone, 2 do forget(gone[place]) end
  return gone[#gone]
end

-- Take a record into the lists; which of them hold it follows from it alone.
local function join(id, record, final, created, most)
  redis.call('HSET', records, id, record)
  if final == '1' then redis.call('SREM', active, id) else redis.call('SADD', active, id) end
  redis.call('ZADD', newest, created, id)
  cut(newest, most)
  forget(id)
end
"""
)

PUT_LISTS = Script(
    _LISTS
    + """
-- ARGV: epoch if this begins one, TTL, most of the newest, most changes, channel; then for each task
-- id, timestamp, final, created, record. Returns how many were newer.
begin(ARGV[1])
local version, count = tonumber(redis.call('HGET', state, 'version')), 0
for place = 6, #ARGV, 5 do
  local id, record = ARGV[place], ARGV[place + 4]
  local known = timestamp(redis.call('HGET', records, id))
  if not known or known < tonumber(ARGV[place + 1]) then
    version, count = version + 1, count + 1
    redis.call('ZADD', changes, version, id)
    join(id, record, ARGV[place + 2], ARGV[place + 3], tonumber(ARGV[3]))
    redis.call('PUBLISH', ARGV[5], record)
  end
end
redis.call('HSET', state, 'version', version)
local forgotten = cut(changes, tonumber(ARGV[4]))
if forgotten then redis.call('HSET', state, 'forgotten', forgotten) end
settle(ARGV[2])
return count
"""
)

MARK = Script(
    _LISTS
    + """
-- ARGV: epoch if this begins one, TTL. Returns epoch and version.
begin(ARGV[1])
settle(ARGV[2])
return redis.call('HMGET', state, 'epoch', 'version')
"""
)

FILL = Script(
    _LISTS
    + """
-- ARGV: list, epoch and version of the mark, TTL, most of the newest; then for each task
-- id, timestamp, final, created, record. Returns 1 when the list is whole now.
local name, mark = ARGV[1], tonumber(ARGV[3])
local known = redis.call('HMGET', state, 'epoch', 'forgotten')
if known[1] ~= ARGV[2] or mark < tonumber(known[2]) then return 0 end
local most = tonumber(ARGV[5])
local since = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', changes, '(' .. mark, '+inf')) do since[id] = true end
local before = name == 'active' and redis.call('SMEMBERS', active) or redis.call('ZRANGE', newest, 0, -1)
for _, id in ipairs(before) do
  if not since[id] then
    if name == 'active' then redis.call('SREM', active, id) else redis.call('ZREM', newest, id) end
  end
end
local version = tonumber(redis.call('HGET', state, 'version'))
for place = 6, #ARGV, 5 do
  local id, record = ARGV[place], ARGV[place + 4]
  local there = redis.call('HGET', records, id)
  if not there or timestamp(there) < tonumber(ARGV[place + 1]) then
    -- News as a put brings it, which will be refused when it comes: the other list must not go without.
    version = version + 1
    redis.call('ZADD', changes, version, id)
    join(id, record, ARGV[place + 2], ARGV[place + 3], most)
  elseif name == 'newest' then
    redis.call('ZADD', newest, ARGV[place + 3], id)
  else
    local status = string.match(there, '"status":"(%a+)"')
    if status ~= 'completed' and status ~= 'failed' and status ~= 'cancelled' then redis.call('SADD', active, id) end
  end
end
redis.call('HSET', state, 'version', version)
if name == 'newest' then cut(newest, most) end
for _, id in ipairs(before) do forget(id) end
for place = 6, #ARGV, 5 do forget(ARGV[place]) end
redis.call('HINCRBY', state, name, 1)
settle(ARGV[4])
return 1
"""
)

LISTING = Script(
    """
-- ARGV: list, epoch, fill and version that the caller's copy is of. Returns nothing when the list is not known to be
-- whole; epoch, fill and version alone when the copy is good; else with 0 and the records that changed, or 1 and all.
local active, state, newest, changes, records = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local name = ARGV[1]
local s = redis.call('HMGET', state, 'epoch', name, 'version', 'forgotten', 'actives', 'newests', 'changes')
if not (s[1] and s[2] and s[5] and s[6] and s[7]) then return nil end
if redis.call('SCARD', active) ~= tonumber(s[5]) or redis.call('ZCARD', newest) ~= tonumber(s[6])
    or redis.call('ZCARD', changes) ~= tonumber(s[7]) then return nil end
local answer = {s[1], s[2], s[3]}
local version = tonumber(ARGV[4])
local copied = ARGV[2] == s[1] and ARGV[3] == s[2]
if copied and version == tonumber(s[3]) then return answer end
local ids
if copied and version >= tonumber(s[4]) then
  answer[4] = 0
  ids = redis.call('ZRANGEBYSCORE', changes, '(' .. version, '+inf')
else
  answer[4] = 1
  ids = name == 'active' and redis.call('SMEMBERS', active) or redis.call('ZREVRANGE', newest, 0, -1)
end
for first = 1, #ids, 1000 do
  local found = redis.call('HMGET', records, unpack(ids, first, math.min(first + 999, #ids)))
  for _, record in ipairs(found) do
    if not record then return nil end
    answer[#answer + 1] = record
  end
end
return answer
"""
)
