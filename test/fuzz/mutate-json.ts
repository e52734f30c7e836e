/** JSON that was good, changed in a few places: other types, limits, names that objects have anyway, depth and length. */
import type { SeededRandom } from "../chaos/random.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const hostileNames = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "a.b",
  "a/b",
  "x".repeat(300),
  "\u0000",
  "ﬃ",
  "metadata",
] as const;

export function mutateJson(value: Json, random: SeededRandom, most = 4): Json {
  let current = value;
  for (let left = random.between(1, most); left > 0; left--) current = mutateAt(current, random);
  return current;
}

/** Walks down by chance and changes where it stops. */
function mutateAt(value: Json, random: SeededRandom): Json {
  if (Array.isArray(value) && value.length > 0 && random.next() < 0.75) {
    const at = random.between(0, value.length - 1);
    if (random.next() < 0.1) return value.filter((_, index) => index !== at);
    if (random.next() < 0.1) return [...value, value[at] ?? null];
    return value.map((item, index) => (index === at ? mutateAt(item, random) : item));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && random.next() < 0.85) {
    return mutateObject(value as { readonly [key: string]: Json }, random);
  }
  return aHostileValue(value, random);
}

function mutateObject(value: { readonly [key: string]: Json }, random: SeededRandom): Json {
  const keys = Object.keys(value);
  const key = keys[random.between(0, Math.max(0, keys.length - 1))];
  if (key === undefined || random.next() < 0.08)
    return withKey(value, random.pick(hostileNames), aHostileValue(null, random));
  if (random.next() < 0.1) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return withKey(value, key, mutateAt(value[key] ?? null, random));
}

/** Also where the key is `__proto__`. */
function withKey(value: { readonly [key: string]: Json }, key: string, to: Json): Json {
  return Object.fromEntries([...Object.entries(value).filter(([name]) => name !== key), [key, to]]);
}

function aHostileValue(value: Json, random: SeededRandom): Json {
  const deep = (depth: number): Json => {
    let nested: Json = 1;
    for (let level = 0; level < depth; level++) nested = level % 2 === 0 ? [nested] : { a: nested };
    return nested;
  };
  return random.pick<() => Json>([
    () => null,
    () => random.next() < 0.5,
    () => random.pick([0, -1, -0, 1.5, 2 ** 31, 2 ** 53, 2 ** 63, 2 ** 64, 1e308, -1e308, 5e-324]),
    () =>
      random.pick(["", " ", "0", "-1", "1e999", "NaN", "0x", "\u0000", "\ud800", "💥".repeat(20), "../../etc/passwd"]),
    () => "a".repeat(random.between(100, 70_000)),
    () => (typeof value === "string" ? `${value}${value}` : [value]),
    () => (typeof value === "string" ? value.slice(0, -1) : { value }),
    () => (typeof value === "string" ? value.toUpperCase() : []),
    () => deep(random.between(5, 2_000)),
    () => ({}),
    () => Array.from({ length: random.between(10, 3_000) }, (_, index) => index),
    () => withKey({}, random.pick(hostileNames), value),
  ])();
}
