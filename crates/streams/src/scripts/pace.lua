-- Reserves the next evenly spaced slot of a sender.
-- KEYS clock ; ARGV emission_us, max_wait_us ; returns {granted, wait_us}
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local emission, max_wait = tonumber(ARGV[1]), tonumber(ARGV[2])
local slot, stepped = read_clock(KEYS[1], now, max_wait + emission)
if slot - now > max_wait then
  if stepped then write_clock(KEYS[1], now, slot) end
  return {0, slot - now}
end
write_clock(KEYS[1], now, slot + emission)
return {1, slot - now}
