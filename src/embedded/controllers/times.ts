/** Kubernetes times: RFC 3339 in whole seconds. Pure. */

export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** Milliseconds since the epoch; `undefined` for an absent time or one that does not parse. */
export function parseTime(time: string | null | undefined): number | undefined {
  if (time === undefined || time === null) return undefined;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** By creation, then name, so that ties are stable. */
export function compareAge(one: Dated, other: Dated): number {
  const byTime = (parseTime(one.metadata.creationTimestamp) ?? 0) - (parseTime(other.metadata.creationTimestamp) ?? 0);
  return byTime !== 0 ? byTime : one.metadata.name < other.metadata.name ? -1 : 1;
}

interface Dated {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
}
