/** Equality and hashes of JSON, independent of the order of fields. Pure. */

/** JSON with sorted keys; fields that are undefined, null, or an empty list or object say nothing and are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(normalise(value)) ?? "null";
}

function normalise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item) ?? null);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, normalise(item)] as const)
    .filter(([, item]) => !saysNothing(item))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries);
}

function saysNothing(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

export function sameJson(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** Without vowels and look-alikes, as Kubernetes encodes its hashes. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/**
 * Label-safe hash of a pod template (32 bit FNV-1a, each decimal digit encoded). `collisions` makes another hash of the
 * same template, where the first is taken by a different one.
 */
export function computeTemplateHash(template: unknown, collisions: number | undefined): string {
  const text = canonicalJson(template) + (collisions === undefined ? "" : `#${collisions}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join("");
}

export function randomSuffix(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(5));
  return [...bytes].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** Without the numbers that are zero, as Kubernetes writes optional counts; those of `kept` stay. */
export function withoutZeros<T extends object>(object: T, kept: readonly (keyof T)[] = []): T {
  const isSaid = ([name, value]: [string, unknown]) => value !== 0 || kept.includes(name as keyof T);
  return Object.fromEntries(Object.entries(object).filter(isSaid)) as T;
}
