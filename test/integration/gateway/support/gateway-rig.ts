/** A gateway on loopback with a directory that tests write, and a sink that keeps what is committed and opened. */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256 } from "../../../../src/base/digest.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import { modelPath } from "../../../../src/embedded/demo/models/train-mnist.ts";
import { type Gateway, type GatewayConfig, startGateway } from "../../../../src/gateway/start-gateway.ts";
import type {
  AgentDirectory,
  AgentEntry,
  CallerEntry,
  CallSink,
  LoadReport,
  OpenedCall,
} from "../../../../src/pool/agents.ts";
import type { CallWindow, CommittedWindow } from "../../../../src/protocol/call-window.ts";

export const mnist = { uri: pathToFileURL(modelPath).href, digest: sha256(readFileSync(modelPath)) };

export const aKey = "key-of-alice";
export const aCaller: CallerEntry = { id: "alice", keyDigest: sha256(aKey), budgetWei: "1000000" };

export const anAgent: AgentEntry = {
  agentId: "uid-1",
  namespace: "team-a",
  name: "digits",
  protocol: "oip",
  modelName: "mnist",
  model: mnist,
  backends: [],
  draining: false,
  priceWei: "100",
  limits: { requestsPerSecond: 10_000, burst: 10_000, maxBodyBytes: 1_000_000, timeoutMs: 30_000, queue: 16 },
  callers: [aCaller],
};

export interface RecordingSink extends CallSink {
  readonly windows: CallWindow[];
  readonly opened: Map<string, readonly OpenedCall[]>;
  readonly loads: LoadReport[];
  /** Runs before each commit; what it throws is the answer. */
  beforeCommit: (window: CallWindow) => Promise<void> | void;
}

export const testSeed = `0x${"ab".repeat(32)}`;

export function createRecordingSink(samples = 4): RecordingSink {
  const windows: CallWindow[] = [];
  const opened = new Map<string, readonly OpenedCall[]>();
  const sink: RecordingSink = {
    windows,
    opened,
    loads: [],
    beforeCommit: () => undefined,
    async commit(window): Promise<CommittedWindow> {
      await sink.beforeCommit(window);
      windows.push(window);
      return { seed: testSeed, samples };
    },
    async open(windowId, calls) {
      opened.set(windowId, calls);
    },
  };
  return sink;
}

export interface TestDirectory extends AgentDirectory {
  set(agents: readonly AgentEntry[]): void;
}

export function createTestDirectory(first: readonly AgentEntry[]): TestDirectory {
  let agents = first;
  const listeners = new Set<() => void>();
  return {
    current: () => agents,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(next) {
      agents = next;
      for (const listener of listeners) listener();
    },
  };
}

export interface GatewayRig {
  readonly gateway: Gateway;
  readonly url: string;
  readonly directory: TestDirectory;
  readonly sink: RecordingSink;
  close(): Promise<void>;
}

export async function openGateway(
  agents: readonly AgentEntry[],
  overrides: Partial<GatewayConfig> = {},
  sink = createRecordingSink(),
): Promise<GatewayRig> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-gateway-"));
  const directory = createTestDirectory(agents);
  const loads = { report: async (reports: readonly LoadReport[]) => void sink.loads.push(...reports) };
  const config: GatewayConfig = {
    host: "127.0.0.1",
    port: 0,
    windows: { maxCalls: 1_000, maxAgeMs: 60_000, maxBytes: 2 ** 24, maxHeldBytes: 2 ** 26, keptWindows: 10 },
    maxBodyBytes: 2 ** 20,
    maxAnswerBytes: 2 ** 20,
    concurrency: 4,
    executor: { cacheDir: join(dir, "cache"), fileRoots: [dirname(modelPath)] },
    loadReportMs: 50,
    drainDelayMs: 0,
    graceMs: 10_000,
    ...overrides,
  };
  const gateway = await startGateway(config, { directory, sink, loads, logger: silentLogger });
  return {
    gateway,
    url: gateway.url,
    directory,
    sink,
    async close() {
      await gateway.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Until the condition holds; a machine under load needs long for what usually takes a moment. */
export async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error("it did not come about within the time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function untilReady(url: string, model = "mnist"): Promise<void> {
  await until(async () => (await fetch(`${url}/v2/models/${model}/ready`)).status === 200);
}

/** One image of nothing but `value`. */
export function inferBody(value = 0, id?: string): string {
  const inputs = [{ name: "pixels", shape: [1, 784], datatype: "UINT8", data: new Array(784).fill(value) }];
  return JSON.stringify({ id, inputs });
}

export function infer(url: string, options: { key?: string; body?: string; model?: string } = {}): Promise<Response> {
  const { key = aKey, body = inferBody(), model = "mnist" } = options;
  return fetch(`${url}/v2/models/${model}/infer`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
  });
}
