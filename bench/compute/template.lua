-- A page with a table of n rows, rendered from tables, with what HTML needs escaped.
local n = tonumber(arg[1] or "20000")
local concat, floor = table.concat, math.floor

local function articles(n)
  local names = { "Tea & Co", "Milk <fresh>", "Sugar", '"Best" coffee', "Bread" }
  local list = {}
  for id = 0, n - 1 do
    list[id + 1] = {
      id = id,
      name = names[id % 5 + 1] .. " " .. id,
      cents = id * 37 % 10000,
      stock = id % 13,
      tags = { "t" .. id % 3, "a&b" },
    }
  end
  return list
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escaped(text)
  return (text:gsub('[&<>"]', entities))
end

local function price(cents)
  return floor(cents / 100) .. "." .. floor(cents / 10) % 10 .. cents % 10
end

local function row(a)
  local tags = {}
  for i, tag in ipairs(a.tags) do tags[i] = "<i>" .. escaped(tag) .. "</i>" end
  local stock = a.stock == 0 and "sold out" or a.stock .. " left"
  local name = escaped(a.name)
  return '<tr id="a' .. a.id .. '"><td>' .. name .. "</td><td>" .. price(a.cents) .. "</td><td>" .. stock
    .. "</td><td>" .. concat(tags, " ") .. "</td></tr>"
end

local function page(title, articles)
  local rows = {}
  for i, article in ipairs(articles) do rows[i] = row(article) end
  return "<html><head><title>" .. escaped(title) .. "</title></head><body><table>\n" .. concat(rows, "\n")
    .. "\n</table></body></html>"
end

local html = page("Shop & more", articles(n))
local half = floor(#html / 2)
print(string.format("%d", #html))
print(html:sub(1, 150))
print(html:sub(half + 1, half + 80))
