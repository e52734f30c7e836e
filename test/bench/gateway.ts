/**
 * A call through the gateway with receipts, over the same model called in process, and over HTTP without receipts. Three
 * processes: the gateway, the model server, and the load generator, which has the model in process as well. The model is the
 * convolutional network of the demonstration, with the smallest batch that takes a tenth of a millisecond.
 *
 * `gateway` hosts the model itself; `gatewayBefore` is the gateway before the model server, by HTTP: one hop more.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256 } from "../../src/base/digest.ts";
import { lenetPath } from "../../src/embedded/demo/models/train-lenet.ts";
import type { AgentEntry } from "../../src/pool/agents.ts";
import type { Figures } from "./bench-options.ts";
import type { LoadFigures, LoadStart } from "./gateway-load.ts";
import type { GatewayStart, GatewayTotals } from "./gateway-process.ts";

const key = "key-of-the-bench";
const target = { overheadP50Ms: 1, callsPerSecond: 3_000 } as const;
const timeoutMs = 120_000;

export async function benchGateway(): Promise<Figures> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-gateway-"));
  const children: ChildProcess[] = [];
  const start = (script: string) => {
    const child = fork(new URL(script, import.meta.url));
    children.push(child);
    return child;
  };
  try {
    const model = { name: "digits", uri: pathToFileURL(lenetPath).href, digest: sha256(await readFile(lenetPath)) };
    const shared = { cacheDir: join(dir, "cache"), fileRoots: [dirname(lenetPath)], model };
    const open = async (kind: GatewayStart["kind"], agents: readonly AgentEntry[]) => {
      const child = start("./gateway-process.ts");
      const message: GatewayStart = { kind, agents, ...shared };
      const { url } = await ask<{ url: string }>(child, message);
      return { child, url };
    };
    const serve = await open("serve", []);
    const gateway = await open("gateway", [{ ...agent, model: shared.model }]);
    const before = await open("gateway", [{ ...agent, backends: [serve.url] }]);
    const urls = { http: serve.url, gateway: gateway.url, gatewayBefore: before.url };
    for (const url of Object.values(urls)) await untilReady(`${url}/v2/models/${model.name}/ready`);
    const figures = await load(start("./gateway-load.ts"), { model, key, urls });
    const totals = await ask<GatewayTotals>(gateway.child, "close");
    if (totals.calls !== figures.calls.gateway) {
      throw new Error(`${figures.calls.gateway} calls were answered, and ${totals.calls} are in windows`);
    }
    return summarize(figures, totals);
  } finally {
    for (const child of children) child.kill();
    await rm(dir, { recursive: true, force: true });
  }
}

const agent: AgentEntry = {
  agentId: "bench",
  namespace: "bench",
  name: "digits",
  protocol: "oip",
  modelName: "digits",
  backends: [],
  draining: false,
  priceWei: "1000000000000",
  limits: { requestsPerSecond: 1e9, burst: 1e9, maxBodyBytes: 2 ** 22, timeoutMs: 30_000, queue: 1_024 },
  callers: [{ id: "bench", keyDigest: sha256(key), budgetWei: (10n ** 30n).toString() }],
};

function summarize({ batch, sides, callsPerSecond }: LoadFigures, totals: GatewayTotals): Figures {
  const over = (name: string, base: string, what: "p50Ms" | "p99Ms") =>
    Math.round(((sides[name]?.[what] ?? Number.NaN) - (sides[base]?.[what] ?? Number.NaN)) * 1_000) / 1_000;
  const overheadP50Ms = over("gateway", "direct", "p50Ms");
  const perSecond = callsPerSecond.gateway ?? 0;
  return {
    overheadP50Ms,
    overheadOverHttpP50Ms: over("gateway", "http", "p50Ms"),
    overheadP99Ms: over("gateway", "direct", "p99Ms"),
    callsPerSecond: perSecond,
    target,
    met: overheadP50Ms <= target.overheadP50Ms && perSecond >= target.callsPerSecond,
    modelMs: sides.direct?.p50Ms,
    batch,
    sides,
    callsPerSecondBySide: callsPerSecond,
    receipts: totals,
  };
}

type LoadOptions = Pick<LoadStart, "model" | "key" | "urls">;

async function load(child: ChildProcess, options: LoadOptions): Promise<LoadFigures> {
  const start: LoadStart = {
    ...options,
    rounds: 150,
    perRound: 10,
    connections: 16,
    throughputMs: 4_000,
    modelMs: 0.1,
  };
  const answer = await ask<{ figures?: LoadFigures; error?: string }>(child, start);
  if (answer.figures === undefined) throw new Error(answer.error);
  return answer.figures;
}

function ask<T>(child: ChildProcess, message: object | string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("a process of the benchmark does not answer")), timeoutMs);
    const settle = (then: () => void) => {
      clearTimeout(timer);
      child.off("exit", onExit);
      then();
    };
    const onExit = () => settle(() => reject(new Error("a process of the benchmark ended")));
    child.once("message", (answer) => settle(() => resolve(answer as T)));
    child.once("exit", onExit);
    child.send(message);
  });
}

async function untilReady(url: string): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; ) {
    if ((await fetch(url)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not become ready`);
}
