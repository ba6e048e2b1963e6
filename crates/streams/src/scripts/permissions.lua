-- Which commands this user may not run. Each is asked for, or on Redis 6, which cannot be asked, tried in
-- a way that changes nothing, also on a key that somebody uses.
-- KEYS one of each kind ; ARGV for each of them its commands, with spaces between
-- returns the number of the kind and the command, in turn
local words = {
  EXISTS = {'@'}, EXPIRE = {'@', 'x'}, GET = {'@'}, HDEL = {'@', 'x'}, HEXISTS = {'@', 'x'}, HGET = {'@', 'x'},
  HGETALL = {'@'}, HINCRBY = {'@', 'x', 'x'}, HLEN = {'@'}, HMGET = {'@', 'x'}, HSET = {'@', 'x', 'x', 'x'},
  LLEN = {'@'}, LPUSH = {'@', 'x'}, LRANGE = {'@', 0, 0}, LREM = {'@', 0, 'x'}, LTRIM = {'@', 'x', 'x'},
  MGET = {'@'}, PEXPIRE = {'@', 'x'}, PTTL = {'@'}, RPUSH = {'@', 'x'}, SET = {'@', 'x', 'EX', 'x'}, TTL = {'@'}, TYPE = {'@'},
  TIME = {},
  XACK = {'@', 'x', '0-0'}, XADD = {'@', 'x', 'x', 'x'}, XDEL = {'@', '0-0'}, XGROUP = {'CREATE', '@', 'x', 'x'},
  XLEN = {'@'}, XPENDING = {'@', 'x'}, XRANGE = {'@', '0-1', '0-1'}, XREAD = {'STREAMS', '@', '0-0'},
  XREADGROUP = {'GROUP', 'x', 'x', 'STREAMS', '@', '>'}, XTRIM = {'@', 'MAXLEN', 'x'},
  ZADD = {'@', 'x', 'x'}, ZCOUNT = {'@', 0, 0}, ZRANGE = {'@', 0, 0},
  ZREM = {'@', 'x'}, ZREMRANGEBYSCORE = {'@', 0, 0},
}

local function may(command, key)
  local call = {command}
  for _, word in ipairs(words[command]) do call[#call + 1] = word == '@' and key or word end
  if redis.acl_check_cmd then
    local known, allowed = pcall(redis.acl_check_cmd, unpack(call))
    return known and allowed
  end
  local answer = redis.pcall(unpack(call))
  -- There is no push that fails; these keys are nobody's.
  if command == 'RPUSH' or command == 'LPUSH' then redis.pcall('LTRIM', key, 1, 0) end
  local refusal = type(answer) == 'table' and answer.err or ''
  return not (string.find(refusal, 'The user executing', 1, true) or string.find(refusal, 'Unknown Redis', 1, true))
end

local denied = {}
for kind, key in ipairs(KEYS) do
  for command in string.gmatch(ARGV[kind], '%a+') do
    if not may(command, key) then
      denied[#denied + 1] = kind
      denied[#denied + 1] = command
    end
  end
end
return denied
