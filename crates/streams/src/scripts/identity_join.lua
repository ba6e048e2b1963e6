-- Makes one person of several, or of names that nobody has yet; only if all is as it was read.
-- KEYS the person, other persons that become this one, the names, then whose the last name was until now
-- ARGV id, now ms, field and line of the audit trail ('' for none), new (0/1), unpin (0/1),
--      number of other persons, whether the last name was another's who stays (0/1), the number of fields of each
--      other person, for each name: its owner as it was read ('' for nobody), the name, the name that it goes with
-- returns the person's revision, or 0 when something has changed meanwhile
local others, moved = tonumber(ARGV[7]), ARGV[8] == '1'
local first, last = 2 + others, #KEYS - (moved and 1 or 0)
local is_new = ARGV[5] == '1'
if is_new ~= (redis.call('EXISTS', KEYS[1]) == 0) then return 0 end
local revision = not is_new and tonumber(redis.call('HGET', KEYS[1], 'rev') or 0) or 0
for k = 2, first - 1 do
  if redis.call('HLEN', KEYS[k]) ~= tonumber(ARGV[7 + k]) then return 0 end
  revision = math.max(revision, tonumber(redis.call('HGET', KEYS[k], 'rev') or 0))
end
-- Grows from one person to another too, as far as clocks do: a name may change hands.
revision = math.max(revision + 1, tonumber(ARGV[2]))
local at = 9 + others
for k = first, last do
  if (redis.call('GET', KEYS[k]) or '') ~= ARGV[at + 3 * (k - first)] then return 0 end
end
permit(KEYS[1], 'HSET', 'HDEL')
for k = 2, first - 1 do permit(KEYS[k], 'HDEL') end
for k = first, last do permit(KEYS[k], 'SET') end
if moved then permit(KEYS[#KEYS], 'HDEL') end

-- Written together at the end.
local fields, set = {}, {}
local function set_new(field, value)
  if set[field] or not is_new and redis.call('HEXISTS', KEYS[1], field) == 1 then return end
  set[field] = true
  fields[#fields + 1], fields[#fields + 2] = field, value
end

write_at_full_memory(KEYS[1])
set_new('since', ARGV[2])
for k = 2, first - 1 do
  local theirs = redis.call('HGETALL', KEYS[k])
  for i = 1, #theirs, 2 do
    set_new(theirs[i], theirs[i + 1])
    redis.call('HDEL', KEYS[k], theirs[i])
  end
end
for k = first, last do
  local name = ARGV[at + 3 * (k - first) + 1]
  redis.call('SET', KEYS[k], ARGV[1])
  set_new('m:' .. name, ARGV[at + 3 * (k - first) + 2])
end
if moved then redis.call('HDEL', KEYS[#KEYS], 'm:' .. ARGV[at + 3 * (last - first) + 1]) end
if ARGV[4] ~= '' then fields[#fields + 1], fields[#fields + 2] = ARGV[3], ARGV[4] end
fields[#fields + 1], fields[#fields + 2] = 'rev', revision
-- Lua cannot hand more than some thousands to a command.
for k = 1, #fields, 1000 do
  redis.call('HSET', KEYS[1], unpack(fields, k, math.min(k + 999, #fields)))
end
for k = first, ARGV[6] == '1' and last or 0 do
  redis.call('HDEL', KEYS[1], 'p:' .. ARGV[at + 3 * (k - first) + 1])
end
return revision
