-- How many points of an n x n grid stay in the Mandelbrot set for 50 rounds, and how long all points stay.
local n = tonumber(arg[1] or "300")

local function rounds(cr, ci)
  local zr, zi, count = 0.0, 0.0, 0
  while count < 50 do
    local rr, ii = zr * zr, zi * zi
    if rr + ii > 4.0 then break end
    zi = 2.0 * zr * zi + ci
    zr = rr - ii + cr
    count = count + 1
  end
  return count
end

local function grid(n)
  local inside, sum = 0, 0
  for y = 0, n - 1 do
    local ci = 2.0 * y / n - 1.0
    for x = 0, n - 1 do
      local count = rounds(2.0 * x / n - 1.5, ci)
      if count == 50 then inside = inside + 1 end
      sum = sum + count
    end
  end
  return inside, sum
end

local inside, sum = grid(n)
print(string.format("%d %d", inside, sum))
