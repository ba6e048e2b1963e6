-- The read is fenced too: a zombie's plain XREADGROUP would steal an entry from its successor,
-- who would go on with the next one.
-- KEYS owner, stream ; ARGV token, group, consumer, count, from ; returns {'FENCED'} | {'OK', reply}
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return {'FENCED'} end
local reply = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[2], ARGV[5])
return {'OK', reply and reply[1] and reply[1][2] or {}}
