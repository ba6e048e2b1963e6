-- Puts a dead letter back at the end of its stream. It is gone from the dead letters in the same
-- step, so a second replay finds nothing.
-- KEYS dead letters, stream ; ARGV dead letter id ; returns the new entry's id, or false
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return false end
redis.call('XLEN', KEYS[2])
permit(KEYS[1], 'XDEL')
permit(KEYS[2], 'XADD')
local fields = {'replay_of', ARGV[1]}
for i = 1, #letter[2], 2 do
  local name = letter[2][i]
  if string.sub(name, 1, 1) ~= '_' and name ~= 'replay_of' then
    fields[#fields + 1] = name
    fields[#fields + 1] = letter[2][i + 1]
  end
end
local id = redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('XDEL', KEYS[1], ARGV[1])
return id
