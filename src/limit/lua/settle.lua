-- Ends what an admission took, or adds what was used without one, once per id.
--   KEYS: the mark of this id; then the key of each limit, of budgets two
--   ARGV: time; how long the mark is kept; when it was booked, 0 if nobody knows whether it was;
--         then for each take: r, s or b; used; the amount booked; windows: length, slots and budgets: the member of the
--         sorted set; budgets: the period's end
-- Returns {1, now, then of each budget: spent, reserved}; {0, now}: that was done before.
-- A lease that is not on the books any more (expired, flushed) takes nothing from what is reserved.

local known = call('GET', KEYS[1])
if known == 'S' then return {0, now} end
local at = number(ARGV[3])
if at == 0 and known then at = number(string.match(known, '^%d+')) end

local reply, key = {1, now}, 2

local function settle_window(name, arg)
  local amount = at > 0 and number(ARGV[arg + 2]) or 0
  local more = number(ARGV[arg + 1]) - amount
  if more == 0 then return end
  local w = window_of(name, number(ARGV[arg + 3]))
  if more > 0 then count_in(w, more) else give_back(w, -more, at) end
end

local function settle_budget(name, holds, arg)
  local b = budget_of(name, holds, ARGV[arg + 4])
  local used, amount = ARGV[arg + 1], ARGV[arg + 2]
  if call('ZREM', holds, ARGV[arg + 3]) == 1 then
    change_money(b, 'reserved', 0, '-' .. amount)
    b.reserved = math.max(b.reserved - amount, 0)
  end
  if used ~= '0' then
    change_money(b, 'spent', b.spent, used)
    b.spent = b.spent + used
    if b.new then keep_budget(b, name) end
  end
  reply[#reply + 1] = math.min(b.spent, kMoneyMost)
  reply[#reply + 1] = b.reserved
end

for arg = 4, #ARGV, 5 do
  local kind = ARGV[arg]
  if kind == 'r' then settle_window(KEYS[key], arg)
  elseif kind == 's' then call('ZREM', KEYS[key], ARGV[arg + 3])
  else
    settle_budget(KEYS[key], KEYS[key + 1], arg)
    key = key + 1
  end
  key = key + 1
end
call('SET', KEYS[1], 'S', 'PX', ARGV[2])
return reply
