/** Reads a request for a container's log: its path and query, as the API server sends them to a kubelet. Pure. */
import type { LogQuery } from "./log-reader.ts";

export interface LogTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

export function parseLogTarget(url: URL): LogTarget | undefined {
  const match = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(url.pathname);
  if (match === null) return undefined;
  const [namespace = "", pod = "", container = ""] = match.slice(1).map(decodeURIComponent);
  return { namespace, pod, container, previous: isTrue(url.searchParams.get("previous")) };
}

/** @returns a sentence when a parameter is not valid */
export function parseLogQuery(parameters: URLSearchParams, nowMs: number): LogQuery | string {
  const tailLines = readCount(parameters, "tailLines");
  const limitBytes = readCount(parameters, "limitBytes");
  const sinceSeconds = readCount(parameters, "sinceSeconds");
  const sinceTime = parameters.get("sinceTime");
  const sinceMs = sinceTime === null ? undefined : Date.parse(sinceTime);
  for (const value of [tailLines, limitBytes, sinceSeconds]) if (typeof value === "string") return value;
  if (Number.isNaN(sinceMs)) return `sinceTime must be an RFC 3339 time, got '${sinceTime}'`;
  const since = typeof sinceSeconds === "number" ? nowMs - sinceSeconds * 1000 : sinceMs;
  return {
    follow: isTrue(parameters.get("follow")),
    timestamps: isTrue(parameters.get("timestamps")),
    ...(typeof tailLines === "number" ? { tailLines } : {}),
    ...(typeof limitBytes === "number" ? { limitBytes } : {}),
    ...(since === undefined ? {} : { sinceMs: since }),
  };
}

function readCount(parameters: URLSearchParams, name: string): number | string | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : `${name} must be a whole number from 0, got '${text}'`;
}

function isTrue(text: string | null): boolean {
  return text === "true" || text === "1" || text === "";
}
