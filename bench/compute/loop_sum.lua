-- Sums of products in two nested loops; a Lua number is exact up to 2^53, which each sum stays below.
local n = tonumber(arg[1] or "4000")

local function total(n)
  local sum = 0
  for i = 1, n do
    local row = 0
    for j = 1, n do row = row + i * j end
    sum = (sum + row) % 1000000007
  end
  return sum
end

print(string.format("%d", total(n)))
