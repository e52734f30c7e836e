import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bench, eventually, isAlive, type makePod, openBench, readWholeLog, shell } from "./worker-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

const phase = () => bench.statuses.at(-1)?.phase;
const main = () => bench.statuses.at(-1)?.containerStatuses?.[0];
const finalPhase = () => eventually("a final phase", () => phase() === "Succeeded" || phase() === "Failed");

describe("a pod that ends", () => {
  it("succeeds when its container exits with 0, in at most three status writes", async () => {
    const worker = bench.run({ restartPolicy: "Never", containers: [shell("echo hello; echo oops >&2")] });
    await finalPhase();
    expect(phase()).toBe("Succeeded");
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(await readWholeLog(worker)).toMatch(/hello\n/);
    expect(await readWholeLog(worker)).toMatch(/oops\n/);
    expect(bench.statuses.length).toBeLessThanOrEqual(3);
  });

  it("fails with the exit code of its container", async () => {
    bench.run({ restartPolicy: "Never", containers: [shell("exit 7")] });
    await finalPhase();
    expect(phase()).toBe("Failed");
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 7, reason: "Error" });
  });

  it("tells the signal that killed its container", async () => {
    bench.run({ restartPolicy: "Never", containers: [shell("kill -SEGV $$$$")] });
    await finalPhase();
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 139, signal: 11, reason: "Error" });
  });

  it("fails with StartError when the program does not exist", async () => {
    bench.run({ restartPolicy: "Never", containers: [shell("", { command: ["no-such-program"] })] });
    await finalPhase();
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 128, reason: "StartError" });
    expect(main()?.state?.terminated?.message).toMatch(/no-such-program/);
  });

  it("takes what its container left running with it", async () => {
    const worker = bench.run({ restartPolicy: "Never", containers: [shell("sleep 600 & echo $!")] });
    await finalPhase();
    const pid = Number(await readWholeLog(worker));
    await eventually("the background process is gone", () => !isAlive(pid));
  });

  it("fails at its active deadline", async () => {
    bench.run({ activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0, containers: [shell("sleep 600")] });
    await finalPhase();
    expect(bench.statuses.at(-1)).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });
});

describe("restarts", () => {
  it("restarts a failing container with growing pauses, and shows CrashLoopBackOff", async () => {
    // Pauses that a busy machine does not swallow.
    await bench.close();
    bench = await openBench({ backoff: { initialMs: 300, maxMs: 1_200 } });
    const worker = bench.run({ restartPolicy: "OnFailure", containers: [shell("echo run; exit 3")] });
    const waiting = () =>
      bench.statuses.map((status) => status.containerStatuses?.[0]?.state?.waiting).filter((state) => state);
    const pauses = () => waiting().map((state) => state?.message?.match(/back-off (\S+)s /)?.[1]);
    await eventually("three pauses", () => pauses().includes("1.2"));
    expect(waiting()[0]?.reason).toBe("CrashLoopBackOff");
    expect([...new Set(pauses())]).toEqual(["0.3", "0.6", "1.2"]);
    expect(main()?.lastState?.terminated).toMatchObject({ exitCode: 3 });
    expect(await readWholeLog(worker, "main", true)).toBe("run\n");
  });

  it("stops restarting under OnFailure once the container succeeds", async () => {
    bench.run({
      restartPolicy: "OnFailure",
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [
        shell("test -e /v/x || { touch /v/x; exit 1; }", { volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      ],
    });
    await finalPhase();
    expect(phase()).toBe("Succeeded");
    expect(main()).toMatchObject({ restartCount: 1 });
  });

  it("takes over the restart count of an earlier kubelet and restarts what it lost", async () => {
    const status = {
      phase: "Running" as const,
      containerStatuses: [
        {
          ...{ name: "main", image: "sh", imageID: "", ready: true, restartCount: 4, containerID: "process://x" },
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
    };
    const logs = `${bench.rootDir}/pods/uid-restored/logs/main`;
    await mkdir(logs, { recursive: true });
    await writeFile(`${logs}/4.log`, "2026-01-01T00:00:00.000000000Z stdout F before\n");
    const spec = { containers: [shell("sleep 600")], terminationGracePeriodSeconds: 0 };
    const worker = bench.run(spec, { status, metadata: { name: "restored", uid: "uid-restored" } });
    await eventually("it runs again", () => main()?.state?.running !== undefined);
    expect(main()).toMatchObject({
      restartCount: 5,
      lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } },
    });
    expect(await readWholeLog(worker, "main", true)).toBe("before\n");
  });
});

it("serves the log of a pod that had ended under an earlier kubelet", async () => {
  const terminated = { exitCode: 0, reason: "Completed" };
  const container = {
    name: "main",
    image: "sh",
    imageID: "",
    containerID: "process://x",
    ready: false,
    restartCount: 0,
  };
  const status = { phase: "Succeeded" as const, containerStatuses: [{ ...container, state: { terminated } }] };
  const logs = `${bench.rootDir}/pods/uid-over/logs/main`;
  await mkdir(logs, { recursive: true });
  await writeFile(`${logs}/0.log`, "2026-01-01T00:00:00.000000000Z stdout F done\n");
  const worker = bench.run({ containers: [shell("exit 9")] }, { status, metadata: { name: "over", uid: "uid-over" } });
  expect(await readWholeLog(worker)).toBe("done\n");
  expect(bench.statuses).toEqual([]);
});

describe("the order of containers", () => {
  it("runs init containers to their end, one after another, before the others", async () => {
    const mounts = [{ name: "v", mountPath: "/v" }];
    const step = (name: string) => shell(`sleep 0.1; echo ${name} >> /v/order`, { name, volumeMounts: mounts });
    const worker = bench.run({
      restartPolicy: "Never",
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [step("one"), step("two")],
      containers: [shell("cat /v/order", { volumeMounts: mounts })],
    });
    await finalPhase();
    expect(phase()).toBe("Succeeded");
    expect(await readWholeLog(worker)).toBe("one\ntwo\n");
  });

  it("fails the pod when an init container fails under Never, without starting the others", async () => {
    bench.run({
      restartPolicy: "Never",
      initContainers: [shell("exit 1", { name: "init" })],
      containers: [shell("true")],
    });
    await finalPhase();
    expect(phase()).toBe("Failed");
    expect(main()?.state?.waiting?.reason).toBe("PodInitializing");
  });

  it("keeps a sidecar running while the main container runs, and no longer", async () => {
    const sidecar = shell("trap 'exit 0' TERM; while :; do sleep 0.05; done", {
      name: "side",
      restartPolicy: "Always",
    });
    bench.run({ restartPolicy: "Never", initContainers: [sidecar], containers: [shell("sleep 0.3")] });
    await eventually(
      "both run",
      () => main()?.state?.running && bench.statuses.at(-1)?.initContainerStatuses?.[0]?.state?.running,
    );
    await finalPhase();
    expect(phase()).toBe("Succeeded");
    expect(bench.statuses.at(-1)?.initContainerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0 });
  });
});

describe("what a container is given", () => {
  it("gets config maps, secrets and the downward API as files and variables", async () => {
    bench.configMaps.conf = { "app.ini": "x=1\n", other: "no" };
    bench.secrets.keys = { token: "s3cret" };
    const worker = bench.run(
      {
        restartPolicy: "Never",
        volumes: [
          { name: "conf", configMap: { name: "conf", items: [{ key: "app.ini", path: "etc/app.ini" }] } },
          {
            name: "all",
            projected: {
              sources: [
                { secret: { name: "keys" } },
                { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
              ],
            },
          },
        ],
        containers: [
          shell(
            "cat /conf/etc/app.ini /all/token /all/labels; echo; echo $NODE $TOKEN $INFERIUM_MOUNT_CONF; ls /conf",
            {
              volumeMounts: [
                { name: "conf", mountPath: "/conf" },
                { name: "all", mountPath: "/all" },
              ],
              env: [
                { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
                { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "token" } } },
              ],
            },
          ),
        ],
      },
      { metadata: { name: "given", uid: "uid-given", labels: { app: "x" } } },
    );
    await finalPhase();
    const directory = `${bench.rootDir}/pods/uid-given/volumes/conf`;
    expect(await readWholeLog(worker)).toBe(`x=1\ns3cretapp="x"\nnode-a s3cret ${directory}\netc\n`);
  });

  it("waits with CreateContainerConfigError until a missing config map appears", async () => {
    bench.run({
      restartPolicy: "Never",
      containers: [shell("true", { envFrom: [{ configMapRef: { name: "later" } }] })],
    });
    await eventually("the reason shows", () => main()?.state?.waiting?.reason === "CreateContainerConfigError");
    expect(main()?.state?.waiting?.message).toBe('configmap "later" not found');
    bench.configMaps.later = { A: "1" };
    await finalPhase();
    expect(phase()).toBe("Succeeded");
  });

  it("stays waiting with ErrImageNeverPull for an image it does not have, in one write", async () => {
    bench.run({ containers: [shell("true", { image: "docker.io/none:1" })] });
    await eventually("the reason shows", () => main()?.state?.waiting?.reason === "ErrImageNeverPull");
    expect(main()?.state?.waiting?.message).toMatch(/"docker.io\/none:1" is not known.* sh, node/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(bench.statuses).toHaveLength(1);
    expect(phase()).toBe("Pending");
  });

  it("sees nothing of the host's environment but what it is given", async () => {
    process.env.KUBELET_TEST_LEAK = "leaked";
    const worker = bench.run({ restartPolicy: "Never", containers: [shell("env")] });
    await finalPhase();
    delete process.env.KUBELET_TEST_LEAK;
    expect(await readWholeLog(worker)).not.toContain("leaked");
  });
});

const polite =
  "process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); console.log('up'); setInterval(() => 0, 1e6)";

describe("deletion", () => {
  const remove = (worker: { pod: ReturnType<typeof makePod>; update(pod: ReturnType<typeof makePod>): void }) =>
    worker.update({
      ...worker.pod,
      metadata: { ...worker.pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 1 },
    });

  it("asks with SIGTERM first, and removes the object when the container has ended", async () => {
    const worker = bench.run({
      containers: [{ ...shell(""), image: "node", command: ["node", "-e", polite] }],
    });
    await eventually("it is up", async () => (await readWholeLog(worker)).includes("up"));
    remove(worker);
    await eventually("the object is removed", () => bench.deleted.includes(worker.pod.metadata.name));
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(await readWholeLog(worker)).toBe("up\nbye\n");
  });

  it("kills what does not end within the grace period", async () => {
    const worker = bench.run({ containers: [shell("trap '' TERM; echo $$$$; while :; do sleep 0.05; done")] });
    const pid = Number(await eventually("it is up", async () => /^\d+/.exec(await readWholeLog(worker))?.[0]));
    remove(worker);
    await eventually("the object is removed", () => bench.deleted.length > 0);
    expect(isAlive(pid)).toBe(false);
    expect(main()?.state?.terminated).toMatchObject({ exitCode: 137, signal: 9 });
  });

  it("runs preStop before SIGTERM", async () => {
    const preStop = { exec: { command: ["/bin/sh", "-c", "echo stopping > /v/f"] } };
    const worker = bench.run({
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [
        shell("trap 'cat /v/f; exit 0' TERM; echo up; while :; do sleep 0.05; done", {
          lifecycle: { preStop },
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        }),
      ],
    });
    await eventually("it is up", async () => (await readWholeLog(worker)).includes("up"));
    remove(worker);
    await eventually("the object is removed", () => bench.deleted.length > 0);
    expect(await readWholeLog(worker)).toMatch(/^up\n(Terminated\n)?stopping\n$/);
  });

  it("forgets the pod's files once the object is gone", async () => {
    const worker = bench.run({ restartPolicy: "Never", containers: [shell("true")] });
    await finalPhase();
    worker.remove(worker.pod);
    await worker.done;
    await expect(readFile(`${bench.rootDir}/pods/${worker.pod.metadata.uid}/logs/main/0.log`)).rejects.toThrow(
      /ENOENT/,
    );
  });
});

describe("probes", () => {
  it("makes a container ready when its HTTP readiness probe passes", async () => {
    let isHealthy = false;
    const server = createServer((_request, response) => response.writeHead(isHealthy ? 200 : 503).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const readinessProbe = { httpGet: { port: (server.address() as AddressInfo).port }, periodSeconds: 1 };
      bench.run({ containers: [shell("sleep 600", { readinessProbe })], terminationGracePeriodSeconds: 0 });
      await eventually("it runs, not ready", () => main()?.state?.running !== undefined && main()?.ready === false);
      isHealthy = true;
      await eventually("it is ready", () => main()?.ready);
      expect(bench.statuses.at(-1)?.conditions?.find((one) => one.type === "Ready")?.status).toBe("True");
    } finally {
      server.close();
    }
  });

  it("restarts a container whose exec liveness probe fails", async () => {
    const livenessProbe = { exec: { command: ["/bin/sh", "-c", "exit 1"] }, failureThreshold: 1, periodSeconds: 1 };
    bench.run({ containers: [shell("sleep 600", { livenessProbe })], terminationGracePeriodSeconds: 0 });
    await eventually("a restart", () => (main()?.restartCount ?? 0) >= 1);
    expect(main()?.lastState?.terminated).toMatchObject({ exitCode: 137 });
    expect(bench.events.map((event) => event.reason)).toContain("Unhealthy");
  });
});
