/**
 * How often the status of tasks was written: counted by the embedded API server itself, or, on somebody's cluster, by the
 * operator's own metric.
 */
import { request } from "undici";
import { InferiumError } from "../../base/errors.ts";
import type { ApiServer } from "../apiserver/server.ts";

const metric = /^inferium_task_status_writes_total(?:\{[^}]*\})? (\d+(?:\.\d+)?)$/gm;

/** @throws InferiumError MetricsUnavailable */
export async function readOperatorWrites(port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/metrics`;
  const { statusCode, body } = await request(url, { headersTimeout: 5_000, bodyTimeout: 5_000 });
  const text = await body.text();
  if (statusCode !== 200) throw new InferiumError("MetricsUnavailable", `${url} answered ${statusCode}; expected 200.`);
  return [...text.matchAll(metric)].reduce((sum, match) => sum + Number(match[1]), 0);
}

export function countEmbeddedWrites(server: ApiServer): number {
  return server
    .writes()
    .filter((write) => write.resource === "inferencetasks.inferium.io" && write.subresource === "status")
    .reduce((sum, write) => sum + write.count, 0);
}
