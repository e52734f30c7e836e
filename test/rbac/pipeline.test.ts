/** The rights suffice: operator and agent run with their own accounts' tokens and nothing else, and a task goes all the way. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runAgent } from "../../src/agent/agent.ts";
import { readAgentConfig } from "../../src/agent/config.ts";
import { isConditionTrue } from "../../src/api/v1alpha1/conditions.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Logger, silentLogger } from "../../src/base/log.ts";
import { buildKubeconfig } from "../../src/embedded/apiserver/kubeconfig.ts";
import {
  aTask,
  type Cluster,
  type RunningOperator,
  startCluster,
  startOperator,
} from "../integration/operator/operator-fixture.ts";
import { type Running, runValidator, runWorker } from "../integration/operator/scripted-members.ts";
import { type Account, openRbacCluster, type RbacCluster, system } from "./rbac-cluster.ts";

const validators = ["v1", "v2", "v3"];

describe.skipIf(process.env.KUBECONFIG !== undefined && process.env.KUBECONFIG !== "")(
  "operator and agent with no more than their accounts' rights",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "inferium-rbac-"));
    const running: Running[] = [];
    const refusals: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      child: () => logger,
      warn: (_, fields) => void refusals.push(JSON.stringify(fields)),
    };
    let rights: RbacCluster;
    let cluster: Cluster;
    let operator: RunningOperator;

    const kubeconfigOf = (account: Account) => {
      const { server, caPem, token } = rights;
      const path = join(folder, account);
      writeFileSync(
        path,
        buildKubeconfig({ url: server, caPem, user: account, credentials: { token: token(account) } }),
      );
      return path;
    };

    beforeAll(async () => {
      rights = await openRbacCluster();
      const { server: url, adminToken, caPem } = rights;
      const close = () => rights.close();
      const startServer = async () => ({ url, adminToken, caPem, writes: () => [], close });
      cluster = await startCluster({ workers: ["w1"], validators, startServer });
      await cluster.order("order");
      operator = await startOperator(cluster, { kubeconfigPath: kubeconfigOf("operator"), leaderPod: "pod-operator" });
      running.push(runWorker(cluster, operator, "w1"));
      running.push(...validators.map((name) => runValidator(cluster, operator, name)));
    });
    afterAll(async () => {
      await Promise.all(running.map((member) => member.stop()));
      await operator?.stop();
      await cluster?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test("a task is read, run, validated, settled and rewarded, and events tell of it", async () => {
      await cluster.tasks.create(aTask("allowed"));
      const read = async () => (await cluster.tasks.get({ namespace: "default", name: "allowed" })).status;
      await expect.poll(async () => (await read())?.phase, { timeout: 60_000 }).toBe("Succeeded");
      const status = await read();
      for (const type of ["Accepted", "Assigned", "Validated", "Settled", "Rewarded"])
        expect([type, isConditionTrue(status?.conditions, type)]).toEqual([type, true]);
      const events = async () => {
        const { items } = await rights.admin.get("/apis/events.k8s.io/v1/namespaces/default/events").expect(200);
        return items.filter((event: { regarding?: { name?: string } }) => event.regarding?.name === "allowed").length;
      };
      await expect.poll(events, { timeout: 30_000 }).toBeGreaterThan(0);
    });

    test("the leader labels its own pod", async () => {
      const read = async () =>
        (await rights.admin.get(`/api/v1/namespaces/${system}/pods/pod-operator`)).body.metadata.labels;
      await expect.poll(read, { timeout: 30_000 }).toMatchObject({ "inferium.io/leader": "true" });
    });

    test("the agent makes its node's WorkerNode, keeps its status, and labels the node", async () => {
      const config = await readAgentConfig({
        KUBECONFIG: kubeconfigOf("agent"),
        NODE_NAME: "node-a",
        INFERIUM_ADDRESS: "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
        INFERIUM_NVIDIA_SMI: join(folder, "there-is-none"),
        INFERIUM_HEALTH_HOST: "127.0.0.1",
        INFERIUM_HEALTH_PORT: "0",
      });
      const ending = new AbortController();
      const ended = runAgent(config, { signal: ending.signal, logger, clock: systemClock });
      try {
        const read = async () => (await rights.admin.get("/apis/inferium.io/v1alpha1/workernodes/node-a")).body;
        await expect
          .poll(async () => (await read()).status?.conditions?.length ?? 0, { timeout: 30_000 })
          .toBeGreaterThan(0);
        const labels = async () =>
          Object.keys((await rights.admin.get("/api/v1/nodes/node-a")).body.metadata.labels ?? {});
        await expect.poll(labels, { timeout: 30_000 }).toContainEqual(expect.stringMatching(/^inferium\.io\//));
      } finally {
        ending.abort(new Error("the test is over"));
        await ended;
      }
      expect(refusals.filter((text) => /forbidden/i.test(text))).toEqual([]);
    });
  },
);
