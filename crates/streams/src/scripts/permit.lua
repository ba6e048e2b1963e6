-- Redis 6 cannot be asked what it permits: a command is tried on a key on which it fails, whatever its type.
local function try(command)
  local words = ({
    EXPIRE = 1, HDEL = 1, HSET = 3, LPUSH = 1, LREM = 2, LTRIM = 2, RPUSH = 1, SET = 3, XACK = 2, XADD = 3, XDEL = 1,
  })[command]
  if not words then return true end
  local answer = redis.pcall(command, KEYS[1], unpack({'x', 'x', 'x'}, 1, words))
  return type(answer) ~= 'table' or not string.find(answer.err or '', 'The user executing', 1, true)
end

-- Lua has no rollback, and Redis judges each command of a script on its own. What a script will write is
-- asked for before its first write, so that it is refused whole or not at all.
local function permit(key, ...)
  local check = redis.acl_check_cmd or try
  for k = 1, select('#', ...) do
    local command = select(k, ...)
    if not check(command, key) then
      local refusal = 'The user executing the script can\'t run ' .. command
      error(redis.acl_check_cmd and {err = 'NOPERM ' .. refusal} or refusal)
    end
  end
end

-- The first write of a script decides about full memory, also one that changes nothing. Work that goes on
-- frees memory, so it begins with a command that is never refused for it. Where work comes in, the first
-- write is one that is.
local function write_at_full_memory(hash)
  redis.call('HDEL', hash, '')
end
