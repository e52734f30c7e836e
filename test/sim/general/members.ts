/**
 * Real workers and validators in this process, with the real executor on a model of one node, each behind a gate of its own.
 * A member that dies is cut off first, so that nothing it still does gets out, and starts again on the state of its disk.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import type { Logger } from "../../../src/base/log.ts";
import { approveUnseen } from "../../../src/embedded/demo/approve-unseen.ts";
import { createExecutor, type Execution, type Executor } from "../../../src/inference/execute.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { readValidatorConfig } from "../../../src/validator/config.ts";
import { type Judge, judgeItem } from "../../../src/validator/judge.ts";
import { runValidator } from "../../../src/validator/run-validator.ts";
import { readWorkerConfig } from "../../../src/worker/config.ts";
import { runWorker } from "../../../src/worker/run-worker.ts";
import { setDiskFull } from "../../chaos/full-disk.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import { type FixtureMember, pool, treasury } from "../../integration/operator/operator-fixture.ts";
import { type Gate, startGate } from "../gate.ts";
import type { ValidatorManner } from "./plan.ts";

export interface SimMember {
  readonly name: string;
  readonly gate: Gate;
  start(): void;
  /** As SIGKILL looks from outside. */
  die(): Promise<void>;
  /** Ends as a pod does that is told to: it hands back what it can. */
  stop(): Promise<void>;
  /** Its disk has no room for what it must not forget, or has again. */
  fillDisk(isFull: boolean): Promise<void>;
  /** From now on executions run out of memory, or no longer. */
  starve(isStarved: boolean): void;
  /** Moves its wall clock, away from where it is wrong anyway. */
  skew(ms: number): void;
  close(): Promise<void>;
}

export interface MemberParts {
  readonly dir: string;
  readonly member: Omit<FixtureMember, "signer">;
  readonly poolCa: string;
  readonly logger: Logger;
  readonly random: SeededRandom;
  readonly isLiar: boolean;
  readonly manner: ValidatorManner;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** A member that ends by itself is a problem. */
  readonly onProblem: (problem: string) => void;
}

/** Inputs above this are slow: one millisecond for each beyond it. */
export const slowAbove = 10_000;

export async function createMember(parts: MemberParts): Promise<SimMember> {
  const { member, onProblem, logger } = parts;
  const gate = await startGate();
  const variables = await writeHome(parts, gate.port);
  const executor = createExecutor(readWorkerConfig(variables).executor);
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  let isStarved = false;
  let jumpedMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + parts.skewMs + jumpedMs };
  const starving: (execute: Executor["execute"]) => Executor["execute"] = (execute) => async (request, signal) => {
    // As onnxruntime says it.
    if (isStarved) throw new Error("std::bad_alloc");
    return execute(request, signal);
  };
  const judge: Judge = ({ execute, ...context }, item, signal) =>
    judges[parts.manner]({ ...context, execute: starving(execute) }, item, signal);
  const run = (signal: AbortSignal) =>
    member.role === "Worker"
      ? runWorker(readWorkerConfig(variables), {
          ...{ signal, logger, clock },
          execute: starving(workerExecute(executor, parts)),
        })
      : runValidator(readValidatorConfig(variables), { signal, logger, clock, judge });
  const start = () => {
    gate.setOpen(true);
    const stop = new AbortController();
    const done = run(stop.signal).then(
      () => void (stop.signal.aborted || onProblem(`${member.name} ended by itself`)),
      (error: Error) => void (stop.signal.aborted || onProblem(`${member.name} ended: ${error.message}`)),
    );
    running = { stop, done };
  };
  const stop = async () => {
    running?.stop.abort(new Error("stopped by the simulation"));
    await running?.done;
    running = undefined;
  };
  const die = async () => {
    gate.setOpen(false);
    await stop();
  };
  const close = async () => {
    await die();
    await gate.close();
    await executor.close();
  };
  const fillDisk = (isFull: boolean) => setDiskFull(join(parts.dir, member.name, "state"), isFull);
  const starve = (on: boolean) => {
    isStarved = on;
  };
  const skew = (ms: number) => {
    jumpedMs = ms;
  };
  return { name: member.name, gate, start, die, stop, fillDisk, starve, skew, close };
}

async function writeHome({ dir, member, poolCa }: MemberParts, port: number): Promise<Record<string, string>> {
  const home = join(dir, member.name);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "key"), member.privateKey, { mode: 0o600 });
  await writeFile(join(home, "ca.crt"), poolCa);
  return {
    INFERIUM_POOL_URL: `https://127.0.0.1:${port}`,
    INFERIUM_POOL_CA_FILE: join(home, "ca.crt"),
    INFERIUM_POOL_NAME: pool,
    INFERIUM_KEY_FILE: join(home, "key"),
    INFERIUM_CACHE_DIR: join(home, "cache"),
    INFERIUM_STATE_DIR: join(home, "state"),
    INFERIUM_ALLOWED_FILE_ROOTS: dir,
    INFERIUM_CLAIM_WAIT_MS: "500",
    INFERIUM_HEARTBEAT_MS: "200",
    INFERIUM_GRACE_SECONDS: "0",
    INFERIUM_SLOTS: "2",
    // Nine processes more for each seed, which show nothing here: the simulation `models` has them.
    INFERIUM_PROBE_MODELS: "false",
    INFERIUM_TREASURY: treasury,
  };
}

/** The honest execution, slow where the input says so, and wrong now and then where the worker is a liar. */
function workerExecute(executor: Executor, { isLiar, random }: MemberParts): Executor["execute"] {
  return async (request, signal) => {
    const execution = await executor.execute(request, signal);
    const x = "inline" in request.input ? Number(request.input.inline.x?.data?.[0] ?? 0) : 0;
    if (x > slowAbove) await sleep(x - slowAbove, undefined, signal === undefined ? {} : { signal });
    return isLiar && random.next() < 0.5 ? falsify(execution) : execution;
  };
}

function falsify(execution: Execution): Execution {
  const outputs = new Map(
    [...execution.outputs].map(([name, tensor]) => {
      const data = tensor.data.slice();
      data[0] = (data[0] ?? 0) ^ 1;
      return [name, { ...tensor, data }] as const;
    }),
  );
  return { ...execution, outputs, outputDigest: digestTensors(outputs) };
}

/** The lazy one approves what it has not run; the contrary one says the opposite of what it found. */
const judges: Readonly<Record<ValidatorManner, Judge>> = {
  honest: judgeItem,
  absent: judgeItem,
  nobody: judgeItem,
  abstaining: async () => ({ vote: "Abstain", outputDigest: `0x${"0".repeat(64)}`, reason: "the model is not here" }),
  lazy: approveUnseen,
  contrary: async (context, item, signal) => {
    const decided = await judgeItem(context, item, signal);
    if (decided.vote === "Abstain") return decided;
    if (decided.vote === "Accept") return { ...decided, vote: "Reject", outputDigest: `0x${"66".repeat(32)}` };
    return { vote: "Accept", outputDigest: item.receipt.message.outputDigest };
  },
};
