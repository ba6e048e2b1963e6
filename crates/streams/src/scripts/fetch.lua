-- The read is fenced too: a zombie's plain XREADGROUP would steal an entry from its successor,
-- who would go on with the next one.
-- New entries may be started at once, each the first of its mailbox: that counts the attempt and reads as
-- begin does. Its keys follow from the entry, so they are not among KEYS; all are of this partition.
-- KEYS owner, stream, attempts
-- ARGV token, group, consumer, count, from, how many reads of new entries had no answer,
--      how many to start at most (0: none), start's name,
--      how a done key begins, list length, how the list's key begins, then for each hash: how its key begins,
--      'conv' or 'event' by which it goes on, how it ends, n, field…
-- returns {'FENCED'} | {'OK', entries, started: id, {key, items}, {key, fields}, …}
if is_fenced(KEYS[1], ARGV[1]) then return {'FENCED'} end
-- A read whose answer never came may run after the one that looked for what it took. Later entries would be
-- handled before those that it takes then.
local unanswered = tonumber(redis.call('HGET', KEYS[1], 'unanswered') or 0)
if ARGV[5] == '>' and tonumber(ARGV[6]) < unanswered then return {'OK', {}, {}} end
if tonumber(ARGV[6]) > unanswered then redis.pcall('HSET', KEYS[1], 'unanswered', ARGV[6]) end
local reply = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[2], ARGV[5])
local entries = reply and reply[1] and reply[1][2] or {}
local most = tonumber(ARGV[7])
local started, notes, seen = {}, {}, {}

local function start(entry)
  local named = {}
  for i = 1, #entry[2], 2 do named[entry[2][i]] = entry[2][i + 1] end
  local mailbox = named.mailbox or named.conv
  if not named.conv or not named.event or seen[mailbox] then return end
  seen[mailbox] = true
  if redis.call('EXISTS', ARGV[9] .. named.event) == 1 then return end
  -- A group that was made anew delivers again what was begun before.
  local tried = redis.call('HMGET', KEYS[3], entry[1] .. ':s', entry[1])
  if tried[1] or tried[2] then return end
  local list, length = ARGV[11] .. named.conv, tonumber(ARGV[10])
  local read = {entry[1], {list, length > 0 and redis.call('LRANGE', list, -length, -1) or {}}}
  local i = 12
  while i <= #ARGV do
    local key, n = ARGV[i] .. named[ARGV[i + 1]] .. ARGV[i + 2], tonumber(ARGV[i + 3])
    read[#read + 1] = {key, redis.call('HMGET', key, unpack(ARGV, i + 4, i + 3 + n))}
    i = i + 4 + n
  end
  started[#started + 1] = read
  notes[#notes + 1] = entry[1] .. ':s'
  notes[#notes + 1] = '1 1 ' .. ARGV[8]
end

-- The entries are delivered now, so they must be told of whatever happens; begin says what is wrong.
local ran = pcall(function()
  for _, entry in ipairs(entries) do
    if #started >= most then break end
    start(entry)
  end
  if #notes > 0 then redis.call('HSET', KEYS[3], unpack(notes)) end
end)
return {'OK', entries, ran and started or {}}
