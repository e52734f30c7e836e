/** How long an agent's calls take: for its load reports, since the report before. Bounded: of many calls every so manieth. */
export interface LoadMeter {
  add(elapsedMs: number): void;
  /** What there was since the last take. */
  take(nowMs: number): { readonly p95Ms: number; readonly callsPerSecond: number };
}

const maxSamples = 1_024;

export function createLoadMeter(startedAtMs: number): LoadMeter {
  let samples: number[] = [];
  let count = 0;
  let sinceMs = startedAtMs;
  return {
    add(elapsedMs) {
      // The latest of each residue: as good as any others where thousands come between two reports.
      samples[count % maxSamples] = elapsedMs;
      count += 1;
    },
    take(nowMs) {
      const sorted = samples.sort((a, b) => a - b);
      const p95Ms = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0;
      const callsPerSecond = nowMs > sinceMs ? (count * 1_000) / (nowMs - sinceMs) : 0;
      [samples, count, sinceMs] = [[], 0, nowMs];
      return { p95Ms, callsPerSecond };
    },
  };
}
