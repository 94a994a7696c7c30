-- The outer planets in their orbits: tables of floats in a table, changed in place.
local n = tonumber(arg[1] or "100000")
local sqrt = math.sqrt

local year = 365.24
local solar_mass = 39.47841760435743

local function planets()
  local sun = { x = 0.0, y = 0.0, z = 0.0, vx = 0.0, vy = 0.0, vz = 0.0, mass = solar_mass }
  local jupiter = {
    x = 4.841431442464721,
    y = -1.1603200440274284,
    z = -0.10362204447112311,
    vx = 0.001660076642744037 * year,
    vy = 0.007699011184197404 * year,
    vz = -0.0000690460016972063 * year,
    mass = 0.0009547919384243266 * solar_mass,
  }
  local saturn = {
    x = 8.34336671824458,
    y = 4.124798564124305,
    z = -0.4035234171143214,
    vx = -0.002767425107268624 * year,
    vy = 0.004998528012349172 * year,
    vz = 0.000023041729757376393 * year,
    mass = 0.0002858859806661308 * solar_mass,
  }
  local uranus = {
    x = 12.894369562139131,
    y = -15.111151401698631,
    z = -0.22330757889265573,
    vx = 0.002964601375647616 * year,
    vy = 0.0023784717395948095 * year,
    vz = -0.000029658956854023756 * year,
    mass = 0.00004366244043351563 * solar_mass,
  }
  local neptune = {
    x = 15.379697114850917,
    y = -25.919314609987964,
    z = 0.17925877295037118,
    vx = 0.0026806777249038932 * year,
    vy = 0.001628241700382423 * year,
    vz = -0.00009515922545197159 * year,
    mass = 0.00005151389020466115 * solar_mass,
  }
  return { sun, jupiter, saturn, uranus, neptune }
end

-- The sun moves so that the whole system rests.
local function to_rest(bodies)
  local px, py, pz = 0.0, 0.0, 0.0
  for _, b in ipairs(bodies) do
    px = px + b.vx * b.mass
    py = py + b.vy * b.mass
    pz = pz + b.vz * b.mass
  end
  local sun = bodies[1]
  sun.vx = -px / solar_mass
  sun.vy = -py / solar_mass
  sun.vz = -pz / solar_mass
end

local function energy(bodies)
  local sum = 0.0
  for i, a in ipairs(bodies) do
    sum = sum + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      sum = sum - a.mass * b.mass / sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local function move(bodies, steps, dt)
  local count = #bodies
  for _ = 1, steps do
    for i = 1, count do
      local a = bodies[i]
      for j = i + 1, count do
        local b = bodies[j]
        local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
        local square = dx * dx + dy * dy + dz * dz
        local pull = dt / (square * sqrt(square))
        local from_b = b.mass * pull
        a.vx = a.vx - dx * from_b
        a.vy = a.vy - dy * from_b
        a.vz = a.vz - dz * from_b
        local from_a = a.mass * pull
        b.vx = b.vx + dx * from_a
        b.vy = b.vy + dy * from_a
        b.vz = b.vz + dz * from_a
      end
    end
    for i = 1, count do
      local b = bodies[i]
      b.x = b.x + dt * b.vx
      b.y = b.y + dt * b.vy
      b.z = b.z + dt * b.vz
    end
  end
end

local bodies = planets()
to_rest(bodies)
local before = energy(bodies)
move(bodies, n, 0.01)
print(string.format("%.0f %.0f", before * 1e9, energy(bodies) * 1e9))
