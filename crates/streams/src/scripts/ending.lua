-- Whether the entry is still ours to end. The attempts know each that was begun; what could not even be
-- begun only the stream knows.
local function is_pending(stream, group, attempts, id)
  return redis.call('HEXISTS', attempts, id .. ':s') == 1 or is_delivered(stream, group, id)
end

-- Adds an entry's own fields to those of its dead letter. Lua cannot hand more than some thousands to a
-- command; an entry with so many is none of ours.
local function add_fields(letter, stream, id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  local parts = entry and entry[2] or {}
  if #parts > 4000 then parts = {'_fields', cjson.encode(parts)} end
  for _, part in ipairs(parts) do letter[#letter + 1] = part end
end

local function permit_end(stream, attempts)
  permit(stream, 'XACK', 'XDEL')
  permit(attempts, 'HDEL')
end

-- The last writes of a script.
local function end_entry(stream, group, attempts, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  redis.call('HDEL', attempts, id, id .. ':s')
end
