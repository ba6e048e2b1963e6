-- What the attempts hold of an entry: how many starts of its processing never ended, how many count as
-- attempts, and the name of the last one. An earlier build kept the attempts alone, as a number.
local function read_starts(attempts, id)
  local kept = redis.call('HMGET', attempts, id .. ':s', id)
  local unended, tried, name = string.match(kept[1] or '', '^(%d+) (%d+) (.*)$')
  return tonumber(unended or 0), tonumber(tried or kept[2] or 0), name
end

local function write_starts(attempts, id, unended, tried, name)
  -- The first write is one that full memory does not refuse.
  redis.call('HDEL', attempts, id)
  redis.call('HSET', attempts, id .. ':s', unended .. ' ' .. tried .. ' ' .. name)
end
