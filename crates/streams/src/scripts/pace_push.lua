-- The provider said "too many requests": nothing of this sender leaves for a while, also when memory is
-- full.
-- KEYS clock ; ARGV pause_us
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now + tonumber(ARGV[1]))
local kept_ms = math.ceil((slot - now) / 1000) + 2000
permit(KEYS[1], 'SET')
redis.call('PEXPIRE', KEYS[1], kept_ms)
redis.call('SET', KEYS[1], string.format('%.0f', slot), 'PX', kept_ms)
return 1
