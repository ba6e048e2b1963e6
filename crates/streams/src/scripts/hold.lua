-- One holder at a time, for as long as it says; the same one extends or shortens it.
-- KEYS lease ; ARGV holder, ttl_ms ; returns whether the holder has it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
