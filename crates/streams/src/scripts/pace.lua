-- Reserves the next evenly spaced slot of a sender. The first write is one that full memory does not
-- refuse: what is sent frees memory.
-- KEYS clock ; ARGV emission_us, max_wait_us ; returns {granted, wait_us}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local emission = tonumber(ARGV[1])
local slot = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if slot - now > tonumber(ARGV[2]) then return {0, slot - now} end
local following = slot + emission
local kept_ms = math.ceil((following - now) / 1000) + 2000
permit(KEYS[1], 'SET')
redis.call('PEXPIRE', KEYS[1], kept_ms)
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', kept_ms)
return {1, slot - now}
