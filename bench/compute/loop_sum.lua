-- A sum of products in two nested loops; a Lua number is exact up to 2^53, which the sum stays below.
local n = tonumber(arg[1] or "4000")

local function total(n)
  local sum = 0
  for i = 1, n do
    for j = 1, n do sum = sum + i * j end
  end
  return sum
end

print(string.format("%d", total(n)))
