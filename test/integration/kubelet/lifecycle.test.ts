/** Hooks, the order of sidecars, last words, limits and gRPC probes of pods that run as processes. */
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCgroups } from "../../../src/embedded/kubelet/cgroups.ts";
import { type Bench, eventually, openBench, readWholeLog, shell } from "./worker-bench.ts";

let bench: Bench;
let folder: string;
let order: string;
beforeEach(async () => {
  bench = await openBench();
  folder = mkdtempSync(join(tmpdir(), "kubelet-order-"));
  order = join(folder, "order");
});
afterEach(async () => {
  await bench.close();
  rmSync(folder, { recursive: true, force: true });
});

const latest = () => bench.statuses.at(-1);
const main = () => latest()?.containerStatuses?.[0];
const events = (reason: string) => bench.events.filter((event) => event.reason === reason).map((one) => one.message);
const condition = (type: string) => latest()?.conditions?.find((one) => one.type === type)?.status;
const finalPhase = () =>
  eventually("the pod is over", () => ["Succeeded", "Failed"].includes(latest()?.phase ?? "") && latest()?.phase);
const lines = () => (existsSync(order) ? readFileSync(order, "utf8").trim().split("\n") : []);

/** Writes its name when asked to end, after a moment. */
const leaving = (name: string, seconds = 0) =>
  `trap 'sleep ${seconds}; echo ${name} >> ${order}; exit 0' TERM; echo up; while :; do sleep 0.02; done`;
const sidecar = (name: string) => shell(leaving(name), { name, restartPolicy: "Always" });

describe("postStart", () => {
  it("holds back the containers after it, and its own container counts as waiting meanwhile", async () => {
    const postStart = { exec: { command: ["/bin/sh", "-c", `sleep 0.4; echo hook >> ${order}`] } };
    bench.run({
      restartPolicy: "Never",
      containers: [
        shell("sleep 1.5", { lifecycle: { postStart } }),
        shell(`echo second >> ${order}`, { name: "second" }),
      ],
    });
    await eventually("the first is being started", () => events("Started").length === 1);
    expect(main()?.state?.running).toBeUndefined();
    expect(await finalPhase()).toBe("Succeeded");
    expect(lines()).toEqual(["hook", "second"]);
  });

  it("kills its container when it fails, and the policy decides what follows", async () => {
    const postStart = { exec: { command: ["/bin/sh", "-c", "echo no >&2; exit 3"] } };
    bench.run({
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [shell("exec sleep 600", { lifecycle: { postStart } })],
    });
    expect(await finalPhase()).toBe("Failed");
    expect(events("FailedPostStartHook")).toEqual(["PostStartHook failed: exit code 3: no"]);
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 143 });
  });
});

it("a preStop hook that fails is told of, and the container stopped all the same", async () => {
  const preStop = { exec: { command: ["/bin/sh", "-c", "exit 4"] } };
  const worker = bench.run({ containers: [shell(leaving("main"), { lifecycle: { preStop } })] });
  await eventually("it runs", async () => (await readWholeLog(worker)).includes("up"));
  const deletion = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 20 };
  worker.update({ ...worker.pod, metadata: { ...worker.pod.metadata, ...deletion } });
  await eventually("the object is removed", () => bench.deleted.length > 0);
  expect(events("FailedPreStopHook")).toEqual(["PreStopHook failed: exit code 4: "]);
  expect(lines()).toEqual(["main"]);
});

describe("sidecars", () => {
  it("end one by one, the last first, once the main container is done", async () => {
    bench.run({
      restartPolicy: "Never",
      initContainers: [sidecar("one"), sidecar("two"), sidecar("three")],
      containers: [shell("sleep 0.3")],
    });
    expect(await finalPhase()).toBe("Succeeded");
    expect(lines()).toEqual(["three", "two", "one"]);
  });

  it("outlive the main container of a deleted pod", async () => {
    const worker = bench.run({
      terminationGracePeriodSeconds: 20,
      initContainers: [sidecar("one"), sidecar("two")],
      containers: [shell(leaving("main", 0.3))],
    });
    await eventually("all run", async () => (await readWholeLog(worker)).includes("up"));
    const deletion = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 20 };
    worker.update({ ...worker.pod, metadata: { ...worker.pod.metadata, ...deletion } });
    await eventually("the object is removed", () => bench.deleted.length > 0);
    expect(lines()).toEqual(["main", "two", "one"]);
  });

  it("hold back the next container until their startup probe passes, and restart under Never", async () => {
    const startupProbe = { exec: { command: ["/bin/sh", "-c", `test -f ${order}`] }, periodSeconds: 1 };
    const first = shell(`if [ -f ${order} ]; then sleep 600; fi; sleep 0.2; echo ran >> ${order}; exit 1`, {
      name: "side",
      restartPolicy: "Always",
      startupProbe,
    });
    bench.run({
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      initContainers: [first],
      containers: [shell(`echo main >> ${order}`)],
    });
    expect(await finalPhase()).toBe("Succeeded");
    expect(lines()).toEqual(["ran", "main"]);
    expect(latest()?.initContainerStatuses?.[0]?.restartCount).toBe(1);
  });
});

describe("last words", () => {
  it("are what the container wrote to its termination message file", async () => {
    bench.run({
      restartPolicy: "Never",
      containers: [
        shell("echo out; echo it broke > /dev/termination-log; exit 1"),
        shell("echo elsewhere > /tmp/words", { name: "own", terminationMessagePath: "/tmp/words" }),
      ],
    });
    await finalPhase();
    const messages = latest()?.containerStatuses?.map((one) => one.state?.terminated?.message);
    expect(messages).toEqual(["it broke\n", "elsewhere\n"]);
  });

  it("are cut to the last 4096 bytes", async () => {
    const script = "head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log; echo end >> /dev/termination-log";
    bench.run({ restartPolicy: "Never", containers: [shell(script)] });
    await finalPhase();
    expect(main()?.state?.terminated?.message).toBe(`${"x".repeat(4092)}end\n`);
  });

  it("are the end of its log under FallbackToLogsOnError, after a failure alone", async () => {
    const terminationMessagePolicy = "FallbackToLogsOnError";
    bench.run({
      restartPolicy: "Never",
      containers: [
        shell("seq 1 100; exit 2", { terminationMessagePolicy }),
        shell("echo fine", { name: "fine", terminationMessagePolicy }),
      ],
    });
    await finalPhase();
    const [failed, fine] = latest()?.containerStatuses ?? [];
    expect(failed?.state?.terminated?.message?.split("\n").slice(0, 2)).toEqual(["21", "22"]);
    expect(fine?.state?.terminated?.message).toBeUndefined();
  });
});

describe("volumes", () => {
  it("keep a pod in ContainerCreating, with an event, while their object is missing", async () => {
    bench.run({
      restartPolicy: "Never",
      volumes: [{ name: "v", secret: { secretName: "later" } }],
      containers: [shell("true", { volumeMounts: [{ name: "v", mountPath: "/v" }] })],
    });
    await eventually("the event", () => events("FailedMount").length > 0);
    expect(events("FailedMount")[0]).toBe('MountVolume.SetUp failed for volume "v" : secret "later" not found');
    const waiting = await eventually("the status", () => main()?.state?.waiting);
    expect(waiting).toEqual({ reason: "ContainerCreating" });
    expect(condition("PodReadyToStartContainers")).toBe("False");
    bench.secrets.later = { a: "1" };
    expect(await finalPhase()).toBe("Succeeded");
  });

  it("get a directory for a subPath that is not there", async () => {
    const mounts = [{ name: "v", mountPath: "/data", subPath: "deep/er" }];
    bench.run({
      restartPolicy: "Never",
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [shell("echo 1 > /data/file", { volumeMounts: mounts })],
    });
    expect(await finalPhase()).toBe("Succeeded");
  });

  it("show changed labels to a running container", async () => {
    const items = [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }];
    const mounts = [{ name: "info", mountPath: "/info" }];
    const worker = bench.run({
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "info", downwardAPI: { items } }],
      containers: [shell("while :; do cat /info/labels; echo; sleep 0.05; done", { volumeMounts: mounts })],
    });
    await eventually("it runs", () => main()?.state?.running);
    expect(condition("PodReadyToStartContainers")).toBe("True");
    worker.update({ ...worker.pod, metadata: { ...worker.pod.metadata, labels: { color: "green" } } });
    await eventually("the label shows", async () => (await readWholeLog(worker)).includes('color="green"'));
  });
});

/** A gRPC health service of one answer. */
async function startHealthService(answer: () => number): Promise<Http2Server> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    appendFileSync(order, `${headers[":path"]}\n`);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, answer()]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

it("a gRPC readiness probe asks the health service", async () => {
  let answer = 2;
  const server = await startHealthService(() => answer);
  try {
    const readinessProbe = { grpc: { port: (server.address() as AddressInfo).port, service: "x" }, periodSeconds: 1 };
    bench.run({ containers: [shell("sleep 600", { readinessProbe })], terminationGracePeriodSeconds: 0 });
    await eventually("it is unhealthy", () => events("Unhealthy").length > 0);
    expect(events("Unhealthy")[0]).toBe('Readiness probe failed: service unhealthy (responded with "NOT_SERVING")');
    answer = 1;
    await eventually("it is ready", () => main()?.ready);
    expect(lines()[0]).toBe("/grpc.health.v1.Health/Check");
  } finally {
    server.close();
  }
});

const limits = openCgroups("probe");
limits.close();

describe("limits", () => {
  it.skipIf(!limits.limits.includes("memory"))("kill a container that takes more memory than it may", async () => {
    const hog = "const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1));";
    bench.run({
      restartPolicy: "Never",
      containers: [
        {
          ...{ name: "main", image: "node", command: ["node", "-e", hog] },
          resources: { limits: { memory: "128Mi" }, requests: { memory: "64Mi" } },
        },
      ],
    });
    expect(await finalPhase()).toBe("Failed");
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    expect(main()?.resources).toEqual({ limits: { memory: "128Mi" }, requests: { memory: "64Mi" } });
  });

  it("are not claimed where the host does not let them be set", async () => {
    await bench.close();
    bench = await openBench({ cgroups: openCgroups("nowhere", folder) });
    bench.run({
      restartPolicy: "Never",
      containers: [shell("true", { resources: { limits: { memory: "64Mi" }, requests: { memory: "64Mi" } } })],
    });
    await finalPhase();
    expect(main()?.resources).toEqual({ requests: { memory: "64Mi" } });
  });
});
