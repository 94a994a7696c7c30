-- The greatest singular value of an endless matrix, by the power method on its first n rows and columns.
local n = tonumber(arg[1] or "200")

-- (i + j) * (i + j + 1) is even: dividing it loses nothing.
local function a(i, j)
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function times_a(v)
  local product = {}
  for i = 1, #v do
    local sum = 0.0
    for j = 1, #v do sum = sum + a(i - 1, j - 1) * v[j] end
    product[i] = sum
  end
  return product
end

local function times_transposed(v)
  local product = {}
  for i = 1, #v do
    local sum = 0.0
    for j = 1, #v do sum = sum + a(j - 1, i - 1) * v[j] end
    product[i] = sum
  end
  return product
end

local function norm(n)
  local u, v = {}, nil
  for i = 1, n do u[i] = 1.0 end
  for _ = 1, 10 do
    v = times_transposed(times_a(u))
    u = times_transposed(times_a(v))
  end
  local uv, vv = 0.0, 0.0
  for i = 1, n do
    uv = uv + u[i] * v[i]
    vv = vv + v[i] * v[i]
  end
  return math.sqrt(uv / vv)
end

print(string.format("%.0f", norm(n) * 1e9))
