"""The rate limit's token buckets inside Redis: the arithmetic of the gateway's own, for many requests in one step.

Keys, in one slot of a cluster: ``{limit}:board`` is the deployment's bucket, ``{limit}:client:{client}`` each client's.
A key holds the tokens that its bucket lacks, and the time in seconds at which it lacked them; it lives as long as they
take to come, and some seconds more. Redis' own clock counts, so that it does not matter whether the gateways' agree.
"""

from __future__ import annotations

from miyabi.cache.redis_scripts import Script

LIMIT = Script(
    """
-- KEYS: {limit}:board, then {limit}:client:{client} of each group of requests. ARGV: rate, burst, each client's rate
-- and burst, reserve, how many tokens the caller took elsewhere since its last call, what the common bucket lacks by
-- its reckoning, and now ('' for this server's clock); then for each group its requests, 1 if these cost the client's
-- own tokens only, and what the client's bucket lacks at least.
-- Returns for each group how many pass, the others' wait, how many more would pass, and what the client's bucket lacks;
-- last what the common one lacks.
local rate, burst, own_rate, own_burst, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]),
  tonumber(ARGV[4]), tonumber(ARGV[5])
local now = tonumber(ARGV[8])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end

local function read(key, speed)
  local known = redis.call('GET', key)
  if not known then return 0 end
  local lacks, at = string.match(known, '(%S+) (%S+)')
  return math.max(0, tonumber(lacks) - math.max(0, now - tonumber(at)) * speed)
end

local function write(key, lacks, speed)
  if lacks == 0 then redis.call('DEL', key) return end
  local life = math.ceil(lacks / speed) + 10
  redis.call('SET', key, string.format('%.17g %.17g', lacks, now), 'EX', string.format('%.0f', life))
end

local function most(lacks, least, size)
  return math.min(size, math.max(lacks, tonumber(least)))
end

local function one(common, own, own_only)
  local here, mine = burst - common, own_burst - own
  if own_only then
    if mine >= 1 then return 0, common, own + 1 end
    return (1 - mine) / own_rate, common, own
  end
  if here >= 1 and mine >= 1 then return 0, common + 1, own + 1 end
  if here >= 1 + reserve then return 0, common + 1, own end
  local within = math.max((1 - here) / rate, (1 - mine) / own_rate)
  return math.min(within, (1 + reserve - here) / rate), common, own
end

local function left(common, own, own_only)
  local here, mine = burst - common, own_burst - own
  if own_only then return math.floor(math.max(0, mine)) end
  return math.floor(math.max(0, math.min(mine, here), here - reserve))
end

local answer = {}
-- A bucket that has not been full since lacks what was taken elsewhere, too, whoever took it. Of one that was full, or
-- is lost, nobody can say more than the caller does.
local common = read(KEYS[1], rate)
common = math.min(burst, math.max(0, common > 0 and common + tonumber(ARGV[6]) or tonumber(ARGV[7])))
for group = 2, #KEYS do
  local place = 3 * group + 3
  local asked, own_only = tonumber(ARGV[place]), ARGV[place + 1] == '1'
  local own, passed, wait = most(read(KEYS[group], own_rate), ARGV[place + 2], own_burst), 0, 0
  while passed < asked do
    wait, common, own = one(common, own, own_only)
    if wait > 0 then break end
    passed = passed + 1
  end
  write(KEYS[group], own, own_rate)
  answer[#answer + 1] = passed
  answer[#answer + 1] = string.format('%.17g', wait)
  answer[#answer + 1] = left(common, own, own_only)
  answer[#answer + 1] = string.format('%.17g', own)
end
write(KEYS[1], common, rate)
answer[#answer + 1] = string.format('%.17g', common)
return answer
"""
)
