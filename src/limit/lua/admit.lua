-- Takes from all limits, or from none.
--   KEYS: the mark of this id; then the key of each limit, of budgets two: the period's hash and its sorted set
--   ARGV: time; id, the lease; how long it is; how long the mark is kept; 1: it goes on already, so it is booked
--         whatever the limits say, and what leases of it are not on the books any more is put back;
--         then for each take: r (window), s (slots) or b (budget), in capitals if only observed; amount; most;
--         windows: length; budgets: the period's start and end, 0 and 0 if it has none
-- Returns {1, when it was booked, which went over, then of each: used, reserved, resets in}; {0, now, index, retry after
-- or -1, used}: refused; {2, now}: a period is not that of now; {3, now}: it is settled.

local id, lease, forced = ARGV[2], ARGV[3], ARGV[5] == '1'
local known = call('GET', KEYS[1])
if known == 'S' then return {3, now} end

local seen, takes, over = {}, {}, ''

local function books_of(kind, at, key)
  if kind == 'r' then return window_of(KEYS[key], number(ARGV[at + 3])) end
  if kind == 's' then return slots_of(KEYS[key]) end
  return budget_of(KEYS[key], KEYS[key + 1], ARGV[at + 4])
end

local function wait(kind, books, amount, most)
  if amount > most then return -1 end
  if kind == 'r' then return wait_of(books, amount + books.pending, most) end
  if kind == 'b' and books.until_end > 0 then return books.until_end - now end
  return -1
end

local key = 2
for at = 6, #ARGV, 5 do
  local letter, amount = ARGV[at], number(ARGV[at + 1])
  local kind, name = string.lower(letter), KEYS[key]
  local books = seen[name] or books_of(kind, at, key)
  seen[name] = books
  key = key + (kind == 'b' and 2 or 1)
  takes[#takes + 1] = {kind = kind, books = books, amount = amount, text = ARGV[at + 1]}
  if not known and not forced then
    if kind == 'b' and books.until_end > 0 and (now < number(ARGV[at + 3]) or now >= books.until_end) then
      return {2, now}
    end
    local most = number(ARGV[at + 2])
    if not fits(books.total + books.pending, amount, most) then
      if letter == kind then
        return {0, now, #takes - 1, wait(kind, books, amount, most), books.total + books.pending}
      end
      over = over .. (#takes - 1) .. ','
    end
    books.pending = books.pending + amount
  end
end

local expires, twice = text(now + lease), text(2 * lease + kSlack)

local function reserve(b, place, take)
  if take.amount <= 0 then return end
  if call('ZADD', b.holds, expires, id .. ':' .. place .. ':' .. take.text) == 0 then return end
  change_money(b, 'reserved', b.reserved, take.text)
  if b.reserved == 0 then
    keep_budget(b, b.key)
    keep_budget(b, b.holds)
  end
  b.reserved = b.reserved + take.amount
end

local function hold_slot(s, place)
  s.total = s.total + call('ZADD', s.key, expires, id .. ':' .. place)
  call('PEXPIRE', s.key, twice)
end

local function book(place, take)
  if take.kind == 's' then
    if take.amount > 0 then hold_slot(take.books, place) end
  elseif take.kind == 'b' then reserve(take.books, place, take)
  elseif not known then count_in(take.books, take.amount) end
end

local reply = {1, now, over}
if known then
  local booked, went_over = string.match(known, '^(%d+):(.*)$')
  reply = {1, number(booked), went_over}
end
for i, take in ipairs(takes) do
  if forced or not known then book(i - 1, take) end
  local books, n = take.books, 3 * i + 1
  if take.kind == 'r' then
    reply[n], reply[n + 1] = books.total, 0
    reply[n + 2] = books.count > 0 and leaves_in(books, books.slot) or empty_in(books)
  elseif take.kind == 's' then
    reply[n], reply[n + 1], reply[n + 2] = 0, books.total, 0
  else
    reply[n], reply[n + 1], reply[n + 2] = books.spent, books.reserved, budget_resets_in(books)
  end
end
if not known then call('SET', KEYS[1], now_text .. ':' .. over, 'PX', ARGV[4]) end
return reply
