-- Notes what outlives a conversation's state, outside of a turn: a value that begins with a number, unless
-- what is kept begins with a higher one.
-- KEYS hash ; ARGV field, value ('' to drop it), number ; returns 1, or 0 when something newer is kept
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if kept and tonumber(string.match(kept, '^%d+') or 0) > tonumber(ARGV[3]) then return 0 end
permit(KEYS[1], 'HSET', 'HDEL')
write_at_full_memory(KEYS[1])
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return 1
