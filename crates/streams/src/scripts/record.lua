-- Writes down how a send stands, under the fence, and ends its entry when told to: refused whole or
-- written whole, see commit. Nothing is written for an entry that has ended, by this script or by hand, as
-- an erasure does; nor when a hash is not any more what the step was judged by.
-- KEYS owner, stream, attempts, record, list, index, target, then the hashes that were judged by
-- ARGV token, group, entry id, end the entry (0/1), guard field ('' for none), ttl s,
--      list item ('' for none), list cap, index value ('' for none),
--      then counted runs: record pairs, pairs to add to the target stream, and for each of the last
--      keys its fields, each with '=' and its value, or '' where it had none
-- returns {'FENCED'} | {'HELD', guard value} | {'CHANGED', values of hash 1, …} | {'ALREADY'} | {'OK'}
if is_fenced(KEYS[1], ARGV[1]) then return {'FENCED'} end
if not is_pending(KEYS[2], ARGV[2], KEYS[3], ARGV[3]) then return {'ALREADY'} end
if ARGV[5] ~= '' then
  local held = redis.call('HGET', KEYS[4], ARGV[5])
  if held then return {'HELD', held} end
end
local at = 10
local function run()
  local n = tonumber(ARGV[at])
  local items = {}
  for k = 1, n do items[k] = ARGV[at + k] end
  if #items ~= n then error('BADARGS') end
  at = at + n + 1
  return items
end
local pairs, added = run(), run()
local reply, changed = {'CHANGED'}, false
for key = 8, #KEYS do
  local judged, names = run(), {}
  for k = 1, #judged, 2 do names[#names + 1] = judged[k] end
  local values = redis.call('HMGET', KEYS[key], unpack(names))
  for k = 1, #names do
    if (values[k] and '=' .. values[k] or '') ~= judged[2 * k] then changed = true end
  end
  reply[#reply + 1] = values
end
if changed then return reply end
local ends, item, index = ARGV[4] == '1', ARGV[7], ARGV[9]
if ends then permit_end(KEYS[2], KEYS[3]) end
if #pairs > 0 then
  if ARGV[5] == '' then redis.call('HLEN', KEYS[4]) end
  permit(KEYS[4], 'HSET', 'EXPIRE')
end
local listed = 0
if item ~= '' then
  listed = redis.call('LLEN', KEYS[5])
  permit(KEYS[5], 'LREM', 'LPUSH', 'LTRIM', 'EXPIRE')
end
if index ~= '' then permit(KEYS[6], 'SET') end
if #added > 0 then
  redis.call('XLEN', KEYS[7])
  permit(KEYS[7], 'XADD')
end

write_at_full_memory(KEYS[3])
if #pairs > 0 then
  redis.call('HSET', KEYS[4], unpack(pairs))
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
if item ~= '' then
  if listed > 0 then redis.call('LREM', KEYS[5], 1, item) end
  if redis.call('LPUSH', KEYS[5], item) > tonumber(ARGV[8]) then
    redis.call('LTRIM', KEYS[5], 0, tonumber(ARGV[8]) - 1)
  end
  redis.call('EXPIRE', KEYS[5], ARGV[6])
end
if index ~= '' then redis.call('SET', KEYS[6], index, 'EX', ARGV[6]) end
if #added > 0 then redis.call('XADD', KEYS[7], '*', unpack(added)) end
if ends then end_entry(KEYS[2], ARGV[2], KEYS[3], ARGV[3]) end
return {'OK'}
