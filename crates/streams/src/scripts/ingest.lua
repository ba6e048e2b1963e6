-- Rate limit, dedup and XADD in one round trip. Whichever write comes first is one that full memory
-- refuses: new work must not take the memory that work in progress needs. XADD comes before SET, so
-- that nothing that goes wrong leaves a dedup key behind that would swallow the provider's retry.
-- KEYS stream, dedup, rate
-- ARGV limit (0: off), window_ms, request, max_backlog (0: off), dedup_ttl_s (0: no dedup),
--      dedup_value, field, value, …
-- A work stream that is full refuses; the stream of rejected events drops its oldest.
-- returns {'RATE', ms} | {'DUP', value} | {'BUSY', backlog} | {'OK', id, backlog}
local limit, ttl, most = tonumber(ARGV[1]), tonumber(ARGV[5]), tonumber(ARGV[4])
local backlog = redis.call('XLEN', KEYS[1])
permit(KEYS[1], 'XADD', 'XTRIM')
if ttl > 0 then permit(KEYS[2], 'SET') end
if limit > 0 then
  local ms = refused_for_ms(KEYS[3], limit, tonumber(ARGV[2]), ARGV[3])
  if ms then return {'RATE', ms} end
end
if ttl > 0 then
  local seen = redis.call('GET', KEYS[2])
  if seen then return {'DUP', seen} end
end
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
