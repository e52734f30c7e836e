/** Token buckets by key, bounded in number: the key used longest ago is forgotten first, and so starts afresh. */
import type { Clock } from "./clock.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface RateLimiter {
  /** 0 where the call may pass, else the milliseconds until one may. */
  take(key: string): number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

export function createRateLimiter(rate: Rate, clock: Clock, maxKeys = 20_000): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const touch = (key: string): Bucket => {
    const now = clock.monotonic();
    const bucket = buckets.get(key) ?? { tokens: rate.burst, filledAt: now };
    bucket.tokens = Math.min(rate.burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * rate.perSecond);
    bucket.filledAt = now;
    // A Map keeps the order of insertion, so that its first key is the one used longest ago.
    buckets.delete(key);
    buckets.set(key, bucket);
    return bucket;
  };
  return {
    take(key) {
      const bucket = touch(key);
      const oldest = buckets.keys().next().value;
      if (buckets.size > maxKeys && oldest !== undefined) buckets.delete(oldest);
      if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / rate.perSecond) * 1000);
      bucket.tokens -= 1;
      return 0;
    },
  };
}
