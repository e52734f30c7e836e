/** docs/resilience.md says of every server what the code holds it to. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FrontBounds } from "../../../src/base/http-front.ts";
import { apiServerBounds } from "../../../src/embedded/apiserver/http/listener.ts";
import { artifactServerBounds } from "../../../src/embedded/demo/artifact-server.ts";
import { kubeletBounds } from "../../../src/embedded/kubelet/kubelet-server.ts";
import { httpServerBounds } from "../../../src/gateway/http/http-server.ts";
import { healthBounds } from "../../../src/kube/health-server.ts";
import { defaultServerLimits } from "../../../src/pool/limits.ts";

const text = readFileSync(new URL("../../../docs/resilience.md", import.meta.url), "utf8");

/** Cells of the row that begins with this name. */
function rowOf(name: string): readonly string[] {
  const row = text.split("\n").findLast((line) => line.startsWith(`| ${name} |`));
  if (row === undefined) throw new Error(`docs/resilience.md has no row "${name}" in its tables of servers`);
  return row.split("|").map((cell) => cell.trim());
}

const inSeconds = (ms: number) => `${ms / 1_000} s`;
const grouped = (count: number) => count.toLocaleString("en-US");

const bounds: readonly (readonly [string, FrontBounds])[] = [
  ["pool API", defaultServerLimits],
  ["health and metrics", healthBounds],
  ["embedded API server", apiServerBounds],
  ["kubelet", kubeletBounds],
  ["artifact server", artifactServerBounds],
  ["gateway", httpServerBounds],
  ["`inferium serve`", httpServerBounds],
];

describe.each(bounds)("the row of %s", (name, held) => {
  test("has its time-outs, headers, connections and rate", () => {
    const [, , headers, request, idle, sizes, connections, rate] = rowOf(name);
    expect([headers, request, idle]).toEqual(
      [held.headersTimeoutMs, held.requestTimeoutMs, held.idleTimeoutMs].map(inSeconds),
    );
    expect(sizes).toBe(`${held.maxHeaders}, ${held.maxHeaderBytes / 1_024} KiB`);
    expect(connections).toBe(grouped(held.maxConnections));
    if (held.callRate === undefined) expect(rate).toMatch(/^none by address/);
    else expect(rate).toBe(`${grouped(held.callRate.perSecond)}/s, ${grouped(held.callRate.burst)} at once`);
  });
});
