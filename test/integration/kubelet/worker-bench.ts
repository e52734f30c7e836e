/** Runs pods as real processes against an API that is a record of what was written, in a directory of its own. */
import { readFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { openCgroups } from "../../../src/embedded/kubelet/cgroups.ts";
import type { Container, Pod, PodSpec } from "../../../src/embedded/kubelet/core-types.ts";
import { openGroupLedger } from "../../../src/embedded/kubelet/group-ledger.ts";
import { readLog } from "../../../src/embedded/kubelet/log-reader.ts";
import { createPodAccess } from "../../../src/embedded/kubelet/pod-access.ts";
import type { PodApi } from "../../../src/embedded/kubelet/pod-api.ts";
import type { PodEvent } from "../../../src/embedded/kubelet/pod-events.ts";
import { PodWorker, type PodWorkerDeps } from "../../../src/embedded/kubelet/pod-worker.ts";
import type { PodStatus } from "../../../src/embedded/kubelet/status-types.ts";

type Texts = Record<string, Record<string, string>>;

export interface Bench {
  readonly rootDir: string;
  readonly configMaps: Texts;
  readonly secrets: Texts;
  /** Every status written, oldest first. */
  readonly statuses: PodStatus[];
  readonly events: PodEvent[];
  readonly deleted: string[];
  run(spec: Partial<PodSpec>, overrides?: Partial<Pod>): PodWorker;
  deps: PodWorkerDeps;
  close(): Promise<void>;
}

export async function openBench(overrides: Partial<PodWorkerDeps> = {}): Promise<Bench> {
  const rootDir = await realpath(await mkdtemp(join(tmpdir(), "kubelet-")));
  const configMaps: Texts = {};
  const secrets: Texts = {};
  const statuses: PodStatus[] = [];
  const events: PodEvent[] = [];
  const deleted: string[] = [];
  const workers: PodWorker[] = [];
  const ledger = openGroupLedger(rootDir);
  const cgroups = openCgroups(rootDir);
  const deps: PodWorkerDeps = {
    images: { sh: { entrypoint: ["/bin/sh"] }, node: { entrypoint: [process.execPath] } },
    hostEnv: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
    nodeEnv: {},
    rootDir,
    ledger,
    cgroups,
    facts: { nodeName: "node-a", hostIP: "127.0.0.1", podIP: "127.0.0.1", allocatable: { cpu: "4" } },
    api: recordingApi({ configMaps, secrets, statuses, deleted }),
    access: createPodAccess(undefined),
    events: { record: (_pod, event) => void events.push(event) },
    backoff: { initialMs: 50, maxMs: 400 },
    clock: systemClock,
    logger: silentLogger,
    ...overrides,
  };
  return {
    ...{ rootDir, configMaps, secrets, statuses, events, deleted, deps },
    run: (spec, pod = {}) => {
      const worker = new PodWorker(deps, makePod(spec, pod));
      workers.push(worker);
      return worker;
    },
    close: async () => {
      const verdict = { reason: "Terminated", message: "test over", isDisruption: true };
      for (const worker of workers) worker.end(verdict, 0);
      await Promise.all(workers.map((worker) => worker.settled().then(() => worker.close())));
      ledger.killLeftovers();
      cgroups.close();
      await rm(rootDir, { recursive: true, force: true });
    },
  };
}

let pods = 0;

export function makePod(spec: Partial<PodSpec>, overrides: Partial<Pod> = {}): Pod {
  const number = pods++;
  const metadata = { name: `pod-${number}`, namespace: "ns", uid: `uid-${number}`, ...overrides.metadata };
  return { apiVersion: "v1", kind: "Pod", ...overrides, metadata, spec: { containers: [], ...spec } };
}

/** A container that runs a shell script. */
export function shell(script: string, overrides: Partial<Container> = {}): Container {
  return { name: "main", image: "sh", command: ["/bin/sh", "-c", script], ...overrides };
}

function recordingApi(state: { configMaps: Texts; secrets: Texts; statuses: PodStatus[]; deleted: string[] }): PodApi {
  const read = (texts: Texts, name: string) => {
    const found = texts[name];
    if (found === undefined) return undefined;
    return new Map(Object.entries(found).map(([key, value]) => [key, Buffer.from(value)]));
  };
  return {
    configMap: async (_namespace, name) => read(state.configMaps, name),
    secret: async (_namespace, name) => read(state.secrets, name),
    writeStatus: async (_pod, status) => {
      state.statuses.push(structuredClone(status));
      return true;
    },
    finishDeletion: async (pod) => void state.deleted.push(pod.metadata.name),
    readServiceAccount: async () => undefined,
    issueToken: async () => {
      throw new Error("no tokens here");
    },
  };
}

export async function eventually<T>(
  what: string,
  read: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const until = performance.now() + 30_000;
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > until) throw new Error(`did not happen within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function readWholeLog(worker: PodWorker, container = "main", previous = false): Promise<string> {
  const log = await worker.findLog(container, previous);
  if (typeof log === "string") return `no log: ${log}`;
  const pieces: string[] = [];
  const query = { follow: false, timestamps: false };
  for await (const piece of readLog(log, query, AbortSignal.timeout(10_000))) pieces.push(piece);
  return pieces.join("");
}

/** A zombie is dead: its parent only has not asked yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
