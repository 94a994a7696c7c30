-- Particles in a box: tables within tables in a table, changed field by field, and small tables from functions.
local n = tonumber(arg[1] or "300")

local function add(a, b)
  return { x = a.x + b.x, y = a.y + b.y }
end

local function scaled(v, by)
  return { x = v.x * by, y = v.y * by }
end

local function square(v)
  return v.x * v.x + v.y * v.y
end

local function clamp(value, low, high)
  return math.min(math.max(value, low), high)
end

local function crowd(count)
  local particles = {}
  local seed = 42
  for id = 0, count - 1 do
    seed = seed * 16807 % 2147483647
    local x = seed % 1000 / 10.0
    seed = seed * 16807 % 2147483647
    local y = seed % 1000 / 10.0
    local speed = { x = id % 7 - 3.0, y = id % 5 - 2.0 }
    particles[id + 1] = { id = id, at = { x = x, y = y }, speed = speed, bounces = 0, energy = 0.0 }
  end
  return particles
end

-- Moves a particle by a moment: it falls, and bounces off the walls of a box of 100 x 100.
local function move(p, dt)
  p.speed.y = p.speed.y - 9.81 * dt
  p.at = add(p.at, scaled(p.speed, dt))
  if p.at.x < 0.0 or p.at.x > 100.0 then
    p.speed.x = -p.speed.x
    p.at.x = clamp(p.at.x, 0.0, 100.0)
    p.bounces = p.bounces + 1
  end
  if p.at.y < 0.0 or p.at.y > 100.0 then
    p.speed.y = -p.speed.y * 0.9
    p.at.y = clamp(p.at.y, 0.0, 100.0)
    p.bounces = p.bounces + 1
  end
  p.energy = 9.81 * p.at.y + 0.5 * square(p.speed)
end

local particles = crowd(1000)
for _ = 1, n do
  for i = 1, #particles do move(particles[i], 0.01) end
end
local bounces, energy = 0, 0.0
for _, p in ipairs(particles) do
  bounces = bounces + p.bounces
  energy = energy + p.energy
end
print(string.format("%d %.0f", bounces, energy * 1e3))
