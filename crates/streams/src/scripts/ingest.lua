-- Rate limit, dedup and XADD in one round trip. XADD comes before SET: if the server refuses the
-- entry for lack of memory, no dedup key is left behind that would swallow the provider's retry.
-- KEYS stream, dedup, rate
-- ARGV limit (0: off), window_ms, request, max_backlog (0: off), dedup_ttl_s (0: no dedup),
--      dedup_value, field, value, …
-- A work stream that is full refuses; the stream of rejected events drops its oldest.
-- returns {'RATE', ms} | {'DUP', value} | {'BUSY', backlog} | {'OK', id, backlog}
local limit = tonumber(ARGV[1])
if limit > 0 then
  local ms = refused_for_ms(KEYS[3], limit, tonumber(ARGV[2]), ARGV[3])
  if ms then return {'RATE', ms} end
end
local ttl = tonumber(ARGV[5])
if ttl > 0 then
  local seen = redis.call('GET', KEYS[2])
  if seen then return {'DUP', seen} end
end
local backlog = redis.call('XLEN', KEYS[1])
local most = tonumber(ARGV[4])
local full = most > 0 and backlog >= most
local drops = ARGV[6] == 'rejected'
if full and not drops then return {'BUSY', backlog} end
local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 7))
if full then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', most)
  backlog = most - 1
end
if ttl > 0 then redis.call('SET', KEYS[2], ARGV[6], 'EX', ttl) end
return {'OK', id, backlog + 1}
