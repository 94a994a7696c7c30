-- The product of two n x n matrices, as tables of rows.
local n = tonumber(arg[1] or "120")

local function matrix(n, seed)
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = seed * ((i - j) * (i + j - 2)) end
    rows[i] = row
  end
  return rows
end

local function product(a, b)
  local n = #a
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do sum = sum + a[i][k] * b[k][j] end
      row[j] = sum
    end
    rows[i] = row
  end
  return rows
end

local scale = 1.0 / (n * n)
local c = product(matrix(n, scale), matrix(n, 2.0 * scale))
local trace = 0.0
for i = 1, n do trace = trace + c[i][i] end
print(string.format("%.0f", trace * 1e6))
