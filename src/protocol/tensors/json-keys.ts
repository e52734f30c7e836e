/**
 * Duplicate keys in JSON text. JSON.parse keeps the last of two, other readers the first: one file, two meanings, and
 * one digest. Call it on text that JSON.parse has accepted.
 */

/** The first key that an object of the text has twice. */
export function findDuplicateKey(json: string): string | undefined {
  const seen: Set<string>[] = [];
  for (const [token, colon] of tokensOf(json)) {
    if (token === "{") seen.push(new Set());
    else if (token === "}") seen.pop();
    else if (colon) {
      const key: unknown = JSON.parse(token);
      const keys = seen.at(-1);
      if (typeof key !== "string" || keys === undefined) continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

/** Braces and strings; a string with a colon after it is a key. */
function* tokensOf(json: string): Generator<[token: string, colon: boolean]> {
  for (const match of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/g)) {
    const token = match[0];
    const colon = match[1];
    yield colon === undefined ? [token, false] : [token.slice(0, -colon.length), true];
  }
}
