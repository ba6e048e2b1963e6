-- Whether another one holds the partition now. Asked once a run: nobody acquires it meanwhile.
local tokens = {}
local function is_fenced(owner, token)
  if tokens[owner] == nil then tokens[owner] = redis.call('HGET', owner, 'tok') end
  return tokens[owner] ~= token
end

