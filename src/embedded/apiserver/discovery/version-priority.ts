/**
 * The order in which clients should prefer versions: stable ones before beta before alpha, the highest first, anything
 * else last and by name. Pure.
 */
const form = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const stages: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

/** Negative where `a` is preferred to `b`. */
export function compareKubeVersions(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)];
  if (left === undefined || right === undefined) {
    if (left === undefined && right === undefined) return a < b ? -1 : Number(a > b);
    return left === undefined ? 1 : -1;
  }
  const different = left.findIndex((part, index) => part !== right[index]);
  return different < 0 ? 0 : (right[different] ?? 0) - (left[different] ?? 0);
}

function rank(version: string): readonly number[] | undefined {
  const match = form.exec(version);
  if (match === null) return undefined;
  const [, major, stage, minor] = match;
  return [stage === undefined ? 2 : (stages[stage] ?? 0), Number(major), Number(minor ?? 0)];
}
