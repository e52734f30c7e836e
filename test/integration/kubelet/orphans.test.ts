import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { openGroupLedger } from "../../../src/embedded/kubelet/group-ledger.ts";
import { type ProcessGroup, startProcessGroup } from "../../../src/embedded/kubelet/process-group.ts";
import { startWatchdog } from "../../../src/embedded/kubelet/watchdog.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { eventually, isAlive, shell } from "./worker-bench.ts";

describe("a kubelet that is killed with SIGKILL", () => {
  let cluster: Cluster;
  let kubelet: ChildProcess;
  beforeAll(async () => {
    cluster = await openCluster();
  });
  afterAll(() => cluster.close());
  afterEach(async () => {
    if (kubelet.exitCode !== null || kubelet.signalCode !== null) return;
    kubelet.kill("SIGTERM");
    await once(kubelet, "exit");
  });

  const startKubelet = async () => {
    const script = join(import.meta.dirname, "standalone-process.ts");
    const args = [script, cluster.kubeconfigPath, "node-k", join(cluster.directory, "node-k")];
    kubelet = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    const isReady = () =>
      cluster.nodes.get({ name: "node-k" }).then(
        (node) => node.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
        () => false,
      );
    await eventually("the node is ready", isReady);
  };
  const pidsOf = (marker: string) =>
    existsSync(marker) ? (readFileSync(marker, "utf8").match(/\d+/g) ?? []).map(Number) : [];

  it("takes all its processes with it, even one that left its group, and the next one restarts the pod", async () => {
    const marker = join(cluster.directory, "pids");
    const script = `setsid sleep 600 & echo $! > ${marker}; sleep 600 & echo $! >> ${marker}; echo $$$$ >> ${marker}; wait`;
    await startKubelet();
    await cluster.createPod("victim", {
      nodeName: "node-k",
      terminationGracePeriodSeconds: 0,
      containers: [shell(script)],
    });
    await cluster.untilPhase("victim", "Running");
    const pids = await eventually("three processes run", () => {
      const found = pidsOf(marker);
      return found.length === 3 && found.every(isAlive) && found;
    });
    kubelet.kill("SIGKILL");
    await once(kubelet, "exit");
    await eventually("all are gone", () => !pids.some(isAlive));

    await startKubelet();
    const restarted = await eventually("the pod runs again", async () => {
      const status = (await cluster.pod("victim")).status?.containerStatuses?.[0];
      return status?.restartCount === 1 && status.state?.running !== undefined && status;
    });
    expect(restarted.lastState?.terminated?.reason).toBe("ContainerStatusUnknown");
    kubelet.kill("SIGTERM");
    await once(kubelet, "exit");
    await eventually("the second run is gone", () => !pidsOf(marker).some(isAlive));
  });
});

describe("the ledger of process groups", () => {
  let rootDir: string;
  beforeEach(async () => {
    rootDir = await realpath(await mkdtemp(join(tmpdir(), "ledger-")));
  });
  const started: ProcessGroup[] = [];
  afterEach(async () => {
    for (const group of started.splice(0)) group.signal("SIGKILL");
    await rm(rootDir, { recursive: true, force: true });
  });

  const start = async (ledger: ReturnType<typeof openGroupLedger>, extra: Record<string, string> = {}) => {
    const env = { PATH: process.env.PATH ?? "", ...extra };
    const group = await startProcessGroup({ argv: ["sleep", "600"], env, workingDir: "/" }, ledger);
    started.push(group);
    return group;
  };

  it("is what the watchdog kills by, when the kubelet's end of the pipe closes", async () => {
    const group = await start(openGroupLedger(rootDir));
    const watchdog = await startWatchdog({
      ...{ rootDir, path: process.env.PATH ?? "", logger: silentLogger, clock: systemClock },
    });
    expect(isAlive(group.pid)).toBe(true);
    await watchdog.stop();
    expect(await group.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("finds by its variable what is in no recorded group", async () => {
    const elsewhere = openGroupLedger(join(rootDir, "other"));
    const stray = await start(elsewhere, { INFERIUM_KUBELET_ROOT: rootDir });
    expect(openGroupLedger(rootDir).killLeftovers()).toBe(1);
    expect(await stray.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("kills at the next start what an earlier run left", async () => {
    const group = await start(openGroupLedger(rootDir));
    expect(openGroupLedger(rootDir).killLeftovers()).toBe(1);
    expect(await group.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("leaves a process alone whose pid was recorded with another start time", async () => {
    const bystander = await start(openGroupLedger(rootDir));
    const ledger = openGroupLedger(join(rootDir, "other"));
    writeFileSync(join(rootDir, "other", "groups", String(bystander.pid)), "1\n");
    expect(ledger.killLeftovers()).toBe(0);
    expect(isAlive(bystander.pid)).toBe(true);
  });
});
