-- Heap sort of numbers, written by hand, in place.
local n = tonumber(arg[1] or "100000")

local function numbers(n)
  local list = {}
  local seed = 42
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    list[i] = seed % 1000000
  end
  return list
end

local function heap_sort(xs)
  local start = math.floor(#xs / 2) + 1
  local stop = #xs
  while stop > 1 do
    -- While the heap is built, its root moves to the front; later its greatest goes to the end.
    if start > 1 then
      start = start - 1
    else
      xs[1], xs[stop] = xs[stop], xs[1]
      stop = stop - 1
    end
    -- The root sinks to its place.
    local root = start
    local value = xs[root]
    while true do
      local child = 2 * root
      if child > stop then break end
      if child < stop and xs[child] < xs[child + 1] then child = child + 1 end
      if value >= xs[child] then break end
      xs[root] = xs[child]
      root = child
    end
    xs[root] = value
  end
end

local list = numbers(n)
heap_sort(list)
local sum = 0
for i, x in ipairs(list) do sum = (sum * 31 + x + i - 1) % 1000000007 end
print(string.format("%d %d %d", list[1] or 0, list[#list] or 0, sum))
