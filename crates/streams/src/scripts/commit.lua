-- All effects of a turn, or none: everything is checked before the first write, because Lua has no
-- rollback. Commit and dead-lettering ask for the same pending entry, so one of the two wins. It is
-- acknowledged when all else is written, so that nothing that goes wrong on the way can lose it.
-- An entry that cannot be handled is set aside with what its conversation is told: it becomes a dead
-- letter and is not remembered as done, so that it can be replayed.
-- Entries that were merged with it end with it, or the whole turn is refused.
-- KEYS owner, stream, attempts, done, state, list, contact, dead letters, three streams that entries are
--      added to, the turn, the last turns, then the done key of each merged entry
-- ARGV token, group, entry id, expected version, list cap, state ttl s, done ttl s, turn ttl s, what is
--      kept of the turn (may be empty), what is kept of it beside others (may be empty), how many of those,
--      then counted runs: ids of the merged entries, pairs that the dead letter begins with (none when
--      the entry ends well), state pairs, contact pairs, contact fields to drop, contact notes (field, value,
--      number each: not written where what is kept begins with a higher number), list items,
--      and for each of the three streams the number of its entries with a counted run of pairs each
-- returns {'FENCED'} | {'ALREADY'} | {'SPLIT'} | {'CONFLICT', version} | {'OK', version}
if is_fenced(KEYS[1], ARGV[1]) then return {'FENCED'} end
if not is_pending(KEYS[2], ARGV[2], KEYS[3], ARGV[3]) then return {'ALREADY'} end
local version = tonumber(redis.call('HGET', KEYS[5], 'ver') or 0)
if version ~= tonumber(ARGV[4]) then
  if redis.call('EXISTS', KEYS[4]) == 1 then return {'ALREADY'} end
  return {'CONFLICT', version}
end
local at = 12
local function run()
  local n = tonumber(ARGV[at])
  local items = {}
  for k = 1, n do items[k] = ARGV[at + k] end
  if #items ~= n then error('BADARGS') end
  at = at + n + 1
  return items
end
local merged, aside, state, contact, forgotten, noted, lines = run(), run(), run(), run(), run(), run(), run()
for k = 1, #noted, 3 do
  local kept = redis.call('HGET', KEYS[7], noted[k])
  if not kept or tonumber(string.match(kept, '^%d+') or 0) <= tonumber(noted[k + 2]) then
    contact[#contact + 1], contact[#contact + 2] = noted[k], noted[k + 1]
  end
end
for k, id in ipairs(merged) do
  permit(KEYS[13 + k], 'SET')
  local ended = redis.call('EXISTS', KEYS[13 + k]) == 1
  if ended or not is_pending(KEYS[2], ARGV[2], KEYS[3], id) then return {'SPLIT'} end
end
local added = {}
for key = 9, 11 do
  local count = tonumber(ARGV[at])
  at = at + 1
  if count > 0 then
    redis.call('XLEN', KEYS[key])
    permit(KEYS[key], 'XADD')
  end
  for k = 1, count do added[#added + 1] = {KEYS[key], run()} end
end
if #aside > 0 then
  redis.call('XLEN', KEYS[8])
  permit(KEYS[8], 'XADD')
  add_fields(aside, KEYS[2], ARGV[3])
else
  permit(KEYS[4], 'SET')
end
if #contact > 0 or #forgotten > 0 then
  redis.call('HLEN', KEYS[7])
  permit(KEYS[7], 'HSET', 'HDEL')
end
if #lines > 0 then
  redis.call('LLEN', KEYS[6])
  permit(KEYS[6], 'RPUSH', 'LTRIM', 'EXPIRE')
end
permit(KEYS[5], 'HSET', 'HDEL', 'EXPIRE')
if ARGV[9] ~= '' then permit(KEYS[12], 'SET') end
if ARGV[10] ~= '' then
  redis.call('LLEN', KEYS[13])
  permit(KEYS[13], 'RPUSH', 'LTRIM', 'EXPIRE')
end
permit_end(KEYS[2], KEYS[3])

-- Earlier builds kept the turn there, for as long as the state. It is the first write, too: full memory
-- does not refuse it.
redis.call('HDEL', KEYS[5], 'turn')
if #contact > 0 then redis.call('HSET', KEYS[7], unpack(contact)) end
if #forgotten > 0 then redis.call('HDEL', KEYS[7], unpack(forgotten)) end
if #lines > 0 then
  local kept = redis.call('RPUSH', KEYS[6], unpack(lines))
  if kept > tonumber(ARGV[5]) then redis.call('LTRIM', KEYS[6], -tonumber(ARGV[5]), -1) end
  redis.call('EXPIRE', KEYS[6], ARGV[6])
end
for k = 1, #added do redis.call('XADD', added[k][1], '*', unpack(added[k][2])) end
redis.call('HSET', KEYS[5], 'ver', version + 1, unpack(state))
redis.call('EXPIRE', KEYS[5], ARGV[6])
if ARGV[9] ~= '' then redis.call('SET', KEYS[12], ARGV[9], 'EX', ARGV[8]) end
if ARGV[10] ~= '' then
  local kept = redis.call('RPUSH', KEYS[13], ARGV[10])
  if kept > tonumber(ARGV[11]) then redis.call('LTRIM', KEYS[13], -tonumber(ARGV[11]), -1) end
  redis.call('EXPIRE', KEYS[13], ARGV[8])
end
if #aside > 0 then
  redis.call('XADD', KEYS[8], '*', unpack(aside))
else
  redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[7])
end
end_entry(KEYS[2], ARGV[2], KEYS[3], ARGV[3])
for k, id in ipairs(merged) do
  redis.call('SET', KEYS[13 + k], ARGV[3], 'EX', ARGV[7])
  end_entry(KEYS[2], ARGV[2], KEYS[3], id)
end
return {'OK', version + 1}
