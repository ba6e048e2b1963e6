-- The provider said "too many requests": nothing of this sender leaves for a while, also when memory is
-- full.
-- KEYS clock ; ARGV pause_us
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local pause = tonumber(ARGV[1])
write_clock(KEYS[1], now, math.max(read_clock(KEYS[1], now, pause), now + pause))
return 1
