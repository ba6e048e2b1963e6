-- All effects of a turn, or none. The gate is XACK: it is the only test-and-set, and dead-lettering
-- uses the same one. It is allowed when memory is short and marks the script dirty, so that nothing
-- after it can be refused. Arguments are parsed before the first write: Lua has no rollback.
-- An entry that cannot be handled is set aside with what its conversation is told: it becomes a dead
-- letter and is not remembered as done, so that it can be replayed.
-- KEYS owner, stream, attempts, done, state, list, contact, dead letters, then the streams that entries
--      are added to
-- ARGV token, group, entry id, expected version, list cap, state ttl s, done ttl s,
--      then counted runs: pairs that the dead letter begins with (none when the entry ends well), state pairs, contact pairs, contact fields to drop, list items,
--      and for each of the last keys the number of its entries with a counted run of pairs each
-- returns {'FENCED'} | {'ALREADY'} | {'CONFLICT', version} | {'OK', version}
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return {'FENCED'} end
local version = tonumber(redis.call('HGET', KEYS[5], 'ver') or 0)
if version ~= tonumber(ARGV[4]) then
  if redis.call('EXISTS', KEYS[4]) == 1 then return {'ALREADY'} end
  return {'CONFLICT', version}
end
local at = 8
local function run()
  local n = tonumber(ARGV[at])
  local items = {}
  for k = 1, n do items[k] = ARGV[at + k] end
  if #items ~= n then error('BADARGS') end
  at = at + n + 1
  return items
end
local aside, state, contact, forgotten, lines = run(), run(), run(), run(), run()
local added = {}
for key = 9, #KEYS do
  local count = tonumber(ARGV[at])
  at = at + 1
  for k = 1, count do added[#added + 1] = {KEYS[key], run()} end
end
local entry = #aside > 0 and redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]

if redis.call('XACK', KEYS[2], ARGV[2], ARGV[3]) == 0 then return {'ALREADY'} end
redis.call('XDEL', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[5], 'ver', version + 1, unpack(state))
redis.call('EXPIRE', KEYS[5], ARGV[6])
if #contact > 0 then redis.call('HSET', KEYS[7], unpack(contact)) end
if #forgotten > 0 then redis.call('HDEL', KEYS[7], unpack(forgotten)) end
if #lines > 0 then
  redis.call('RPUSH', KEYS[6], unpack(lines))
  redis.call('LTRIM', KEYS[6], -tonumber(ARGV[5]), -1)
  redis.call('EXPIRE', KEYS[6], ARGV[6])
end
for k = 1, #added do redis.call('XADD', added[k][1], '*', unpack(added[k][2])) end
if #aside > 0 then
  for _, part in ipairs(entry and entry[2] or {}) do aside[#aside + 1] = part end
  redis.call('XADD', KEYS[8], '*', unpack(aside))
else
  redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[7])
end
return {'OK', version + 1}
