/** Two operators: one leads and serves, the other takes over; health tells which is which. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { runOperator } from "../../../src/operator/operator.ts";
import { aTask, type Cluster, startCluster, startOperator } from "./operator-fixture.ts";
import { runWorker } from "./scripted-members.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1"], validators: ["v1"] });
  await cluster.order("order");
}, 60_000);
afterAll(() => cluster?.close());

const get = async (url: string, path: string) => (await fetch(`${url}${path}`)).status;

test("a standby serves nothing until the leader stops, then finds all of its work", async () => {
  const leader = await startOperator(cluster, { leaderElection: { identity: "one" } });
  const stopping = new AbortController();
  const serving = Promise.withResolvers<string>();
  const metrics = Promise.withResolvers<string>();
  const standby = runOperator(
    { ...cluster.config, leaderElection: { identity: "two" } },
    { signal: stopping.signal, logger: silentLogger, onServing: serving.resolve, onMetrics: metrics.resolve },
  );
  const standbyMetrics = await metrics.promise;
  expect(await get(leader.metricsUrl, "/readyz")).toBe(200);
  expect(await get(standbyMetrics, "/healthz")).toBe(200);
  await expect
    .poll(async () => (await (await fetch(`${standbyMetrics}/readyz`)).text()).includes("[+] informers"))
    .toBe(true);
  expect(await get(standbyMetrics, "/readyz")).toBe(503);
  await cluster.tasks.create(aTask("handed-over"));
  await leader.stop();
  const url = await serving.promise;
  expect(await get(standbyMetrics, "/readyz")).toBe(200);
  const worker = runWorker(cluster, { url, metricsUrl: standbyMetrics, stop: async () => undefined }, "w1");
  await expect.poll(() => worker.seen.map(({ task }) => task), { timeout: 10_000 }).toEqual(["handed-over"]);
  await worker.stop();
  stopping.abort(new Error("test ends"));
  await standby;
});
