/** `/healthz`, `/livez` and `/readyz`: the checks one by one, all together, and without the excluded ones. */
import type { ServerResponse } from "node:http";
import { answerPageNotFound } from "../http/answer-page-not-found.ts";
import { sendText } from "../http/respond.ts";

export interface HealthCheck {
  readonly name: string;
  readonly healthy: () => boolean;
  /** Checks of readiness alone are not asked for `/livez` and `/healthz`. */
  readonly readinessOnly?: boolean;
}

const endpoints = ["healthz", "livez", "readyz"];

export function isHealthPath(pathname: string): boolean {
  return endpoints.includes(pathname.split("/")[1] ?? "");
}

export function serveHealth(
  response: ServerResponse,
  checks: readonly HealthCheck[],
  at: { readonly pathname: string; readonly query: URLSearchParams },
): void {
  const [, endpoint = "", ...rest] = at.pathname.split("/");
  const asked = checks.filter((check) => endpoint === "readyz" || check.readinessOnly !== true);
  response.setHeader("x-content-type-options", "nosniff");
  const single = asked.find((check) => check.name === rest.join("/"));
  if (rest.length > 0) serveOne(response, single);
  else serveAll(response, endpoint, asked, at.query);
}

function serveAll(
  response: ServerResponse,
  endpoint: string,
  asked: readonly HealthCheck[],
  query: URLSearchParams,
): void {
  const excluded = new Set(query.getAll("exclude").flatMap((value) => value.split(",")));
  const { lines, failed } = report(asked, excluded);
  if (failed) send(response, 500, `${lines}${endpoint} check failed\n`);
  else send(response, 200, query.has("verbose") ? `${lines}${endpoint} check passed\n` : "ok");
}

function serveOne(response: ServerResponse, check: HealthCheck | undefined): void {
  if (check === undefined) answerPageNotFound(response);
  else if (check.healthy()) send(response, 200, "ok");
  else send(response, 500, `internal server error: ${check.name} is not healthy\n`);
}

function report(checks: readonly HealthCheck[], excluded: Set<string>): { lines: string; failed: boolean } {
  let lines = "";
  let failed = false;
  for (const { name, healthy } of checks) {
    if (excluded.delete(name)) lines += `[+]${name} excluded: ok\n`;
    else if (healthy()) lines += `[+]${name} ok\n`;
    else {
      failed = true;
      lines += `[-]${name} failed: reason withheld\n`;
    }
  }
  const unknown = [...excluded].sort().map((name) => JSON.stringify(name));
  if (unknown.length > 0)
    lines += `warn: some health checks cannot be excluded: no matches for ${unknown.join(", ")}\n`;
  return { lines, failed };
}

function send(response: ServerResponse, code: number, text: string): void {
  sendText(response, code, text, "text/plain; charset=utf-8");
}
