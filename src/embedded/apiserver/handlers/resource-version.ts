/** Reads resource versions as clients send them. A malformed one is a 400, one from the future a 504 as in Kubernetes. Pure. */
import { badRequest, failure } from "../status.ts";

export function parseResourceVersion(value: string | null): number | undefined {
  if (value === null || value === "") return undefined;
  if (!/^\d{1,15}$/.test(value))
    throw badRequest(`Invalid value: ${JSON.stringify(value)}: resourceVersion must be a number as the server gave it`);
  return Number(value);
}

export function checkNotFuture(version: number, current: number): void {
  if (version <= current) return;
  const details = {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  };
  throw failure(504, "Timeout", `Too large resource version: ${version}, current: ${current}`, details);
}
