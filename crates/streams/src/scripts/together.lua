-- Runs calls of other scripts one after the other, each as if alone: it checks its own token, and one that
-- fails has written nothing (see permit) and keeps none of the others from running.
-- KEYS those of all calls in turn ; ARGV for each call its script, number of keys, number of arguments, and
--      the arguments
-- returns for each call its answer, or false where it failed: run alone, it says why
local answers, key, at = {}, 0, 1
while at <= #ARGV do
  local keys, args = {}, {}
  local key_count, arg_count = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  for k = 1, key_count do keys[k] = KEYS[key + k] end
  for k = 1, arg_count do args[k] = ARGV[at + 2 + k] end
  local ran, answer = pcall(calls[ARGV[at]], keys, args)
  answers[#answers + 1] = ran and answer
  key, at = key + key_count, at + 3 + arg_count
end
return answers
