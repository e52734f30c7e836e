/**
 * The load generator of the gateway's benchmark, in a process of its own: calls one after another by turns over each way, for
 * latencies, then as many as go on several connections, for calls per second. The model in this very process is the way to
 * compare with. Forked with its work as the first message; answers with the figures.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseDigest } from "../../src/base/digest.ts";
import { type HostedModel, hostModel } from "../../src/inference/hosted-model.ts";
import { defaultSessionOptions, loadModel } from "../../src/inference/session.ts";
import { buildInferRequest } from "../../src/protocol/oip/infer.ts";
import { tensorFrom } from "../../src/protocol/tensors/elements.ts";
import type { NamedTensors } from "../../src/protocol/tensors/tensor.ts";
import { buildRequest, type HttpCaller, openCaller } from "./http-caller.ts";

export interface LoadStart {
  readonly model: { readonly name: string; readonly uri: string; readonly digest: string };
  readonly key: string;
  /** Each is called in turn and compared with the model in process. */
  readonly urls: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly perRound: number;
  readonly connections: number;
  readonly throughputMs: number;
  /** The least that the model's run should take. */
  readonly modelMs: number;
}

export interface LoadFigures {
  readonly batch: number;
  readonly sides: Readonly<Record<string, { readonly p50Ms: number; readonly p99Ms: number }>>;
  readonly callsPerSecond: Readonly<Record<string, number>>;
  /** Calls made of each, for comparison with what was committed. */
  readonly calls: Readonly<Record<string, number>>;
}

const pixels = 784;
const batches = [1, 2, 4, 8, 16, 32, 64] as const;
const warmUpRounds = 30;
/** Until the compiler has seen the way of a call often enough. */
const warmUpMs = 4_000;

function inputOf(batch: number): NamedTensors {
  const values = Array.from({ length: batch * pixels }, (_, i) => (i * 31) % 256);
  return new Map([["pixels", tensorFrom("uint8", [batch, pixels], values)]]);
}

/** The smallest batch with which the model takes as long as asked. */
async function chooseBatch(model: HostedModel, modelMs: number): Promise<number> {
  // Compiled first: else the smallest batch would seem to take what the compiler takes.
  for (let i = 0; i < 3_000; i++) await model.infer(inputOf(1));
  for (const batch of batches) {
    const input = inputOf(batch);
    const times: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const startedAt = performance.now();
      await model.infer(input);
      times.push(performance.now() - startedAt);
    }
    if (percentile(times, 0.5) >= modelMs) return batch;
  }
  return batches.at(-1) ?? 1;
}

async function measure(start: LoadStart): Promise<LoadFigures> {
  const bytes = await readFile(fileURLToPath(start.model.uri));
  const model = hostModel(parseDigest(start.model.digest), await loadModel(bytes, defaultSessionOptions));
  const batch = await chooseBatch(model, start.modelMs);
  const input = inputOf(batch);
  const request = buildHttp(start, input);
  const callers = new Map<string, HttpCaller>();
  for (const [name, url] of Object.entries(start.urls)) callers.set(name, await openCaller(url, request));
  const calls: Record<string, number> = Object.fromEntries([...callers.keys()].map((name) => [name, 0]));
  const sides: Record<string, () => Promise<unknown>> = { direct: () => model.infer(input) };
  for (const [name, caller] of callers) {
    sides[name] = async () => {
      calls[name] = (calls[name] ?? 0) + 1;
      checkAnswer(name, await caller.call());
    };
  }
  const latencies = await timeByTurns(sides, start);
  for (const caller of callers.values()) caller.close();
  const callsPerSecond: Record<string, number> = {};
  for (const [name, url] of Object.entries(start.urls)) {
    const { perSecond, made } = await timeManyAtOnce(name, url, request, start);
    callsPerSecond[name] = Math.round(perSecond);
    calls[name] = (calls[name] ?? 0) + made;
  }
  await model.close();
  return { batch, sides: latencies, callsPerSecond, calls };
}

function buildHttp({ model, key }: LoadStart, input: NamedTensors): Buffer {
  const { body, headerLength } = buildInferRequest(input, true);
  return buildRequest(`/v2/models/${model.name}/infer`, body, {
    authorization: `Bearer ${key}`,
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(headerLength),
  });
}

function checkAnswer(name: string, head: string): void {
  const hasReceipt = head.includes("inferium-receipt: ");
  if (head.startsWith("HTTP/1.1 200 ") && hasReceipt === name.startsWith("gateway")) return;
  throw new Error(`${name} answered: ${head.slice(0, 300)}`);
}

/** Rounds of some calls of each side, in alternating order: what is compared are neighbours in time. */
async function timeByTurns(sides: Readonly<Record<string, () => Promise<unknown>>>, { rounds, perRound }: LoadStart) {
  const names = Object.keys(sides);
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      for (let i = 0; i < perRound; i++) {
        const startedAt = performance.now();
        await sides[name]?.();
        if (round >= 0) times.get(name)?.push(performance.now() - startedAt);
      }
    }
  }
  return Object.fromEntries(
    [...times].map(([name, all]) => [name, { p50Ms: percentile(all, 0.5), p99Ms: percentile(all, 0.99) }]),
  );
}

async function timeManyAtOnce(name: string, url: string, request: Buffer, start: LoadStart) {
  const callers = await Promise.all(Array.from({ length: start.connections }, () => openCaller(url, request)));
  let made = 0;
  let isOver = false;
  const loops = callers.map(async (caller) => {
    while (!isOver) {
      checkAnswer(name, await caller.call());
      made += 1;
    }
  });
  await sleep(warmUpMs);
  const [before, startedAt] = [made, performance.now()];
  await sleep(start.throughputMs);
  const perSecond = ((made - before) * 1_000) / (performance.now() - startedAt);
  isOver = true;
  await Promise.all(loops);
  for (const caller of callers) caller.close();
  return { perSecond, made };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 1_000) / 1_000;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

process.on("message", (start: LoadStart) => {
  void measure(start).then(
    (figures) => process.send?.({ figures }, () => process.disconnect()),
    (error: unknown) => process.send?.({ error: String(error) }, () => process.disconnect()),
  );
});
