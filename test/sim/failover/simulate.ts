/**
 * Who leads when a leader goes: operators in processes of their own contend for one lease with its real times. The leader is
 * told to stop, or killed, and the time is taken until another has opened the pool API, from which on members are served.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import { type Cluster, startCluster } from "../../integration/operator/operator-fixture.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";

/** Bounds in milliseconds: a stopped leader hands its lease over, a killed one's must expire (15 s) and be seen to. */
export const boundsMs = { stop: 2_000, kill: 17_000 } as const;
type End = keyof typeof boundsMs;

const startTimeoutMs = 60_000;

export async function simulateFailover(options: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const { stops = 0, kills = 0 } = options.numbers;
  const faults: FaultCounts = {};
  const problems: string[] = [];
  const taken: Record<End, number[]> = { stop: [], kill: [] };
  const cluster = await startCluster({ workers: ["w1"], validators: ["v1", "v2", "v3"] });
  const contest = new Contest(cluster.config);
  try {
    await contest.fill();
    for (const end of [...Array<End>(stops).fill("stop"), ...Array<End>(kills).fill("kill")]) {
      const ms = await contest.replaceLeader(end);
      taken[end].push(ms);
      countFault(faults, `leader-${end}`);
      if (ms > boundsMs[end]) problems.push(`a leader's ${end} took ${Math.round(ms)} ms, at most ${boundsMs[end]}`);
      options.onProgress?.(`${end}: ${Math.round(ms)} ms`);
    }
    problems.push(...contest.problems);
  } finally {
    await contest.close();
    await cluster.close();
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  const table = [
    "END     RUNS  FASTEST  MEDIAN  SLOWEST (ms)",
    ...(["stop", "kill"] as const).map((end) => row(end, taken)),
  ];
  return { seed: options.seed, seconds, faults, problems, table };
}

function row(end: End, taken: Record<End, number[]>): string {
  const sorted = taken[end].map(Math.round).sort((a, b) => a - b);
  const [first = "-", median = "-", last = "-"] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `${end.padEnd(8)}${String(sorted.length).padEnd(6)}${String(first).padEnd(9)}${String(median).padEnd(8)}${last}`;
}

interface Operator {
  readonly name: string;
  readonly process: ChildProcess;
  healthUrl: string | undefined;
}

/** Two operators, one of which serves. */
class Contest {
  readonly problems: string[] = [];
  readonly #config: Cluster["config"];
  #operators: Operator[] = [];
  #leader: Operator | undefined;
  #onServing: (operator: Operator) => void = () => undefined;
  #count = 0;

  constructor(config: Cluster["config"]) {
    this.#config = config;
  }

  /** Until two run and one of them serves. */
  async fill(): Promise<void> {
    while (this.#operators.length < 2) {
      const operator = this.#start();
      this.#operators.push(operator);
      if (this.#leader === undefined) await this.#nextLeader();
    }
  }

  /** Milliseconds until another serves; a new standby is there afterwards. */
  async replaceLeader(end: End): Promise<number> {
    const leader = this.#leader!;
    await this.#untilStandbyWaits();
    this.#leader = undefined;
    this.#operators = this.#operators.filter((operator) => operator !== leader);
    const beganMs = performance.now();
    const next = this.#nextLeader();
    leader.process.kill(end === "kill" ? "SIGKILL" : "SIGTERM");
    await next;
    const ms = performance.now() - beganMs;
    if (leader.process.exitCode === null && leader.process.signalCode === null) await once(leader.process, "exit");
    await this.fill();
    return ms;
  }

  async close(): Promise<void> {
    for (const { process } of this.#operators) process.kill("SIGKILL");
    this.#operators = [];
  }

  #start(): Operator {
    const name = `operator-${++this.#count}`;
    const process = fork(new URL("operator-process.ts", import.meta.url), { serialization: "advanced" });
    const operator: Operator = { name, process, healthUrl: undefined };
    process.on("message", (message: { readonly poolUrl?: string; readonly healthUrl?: string }) => {
      operator.healthUrl ??= message.healthUrl;
      if (message.poolUrl === undefined) return;
      // The one before has closed its pool API by then, or is dead.
      if (this.#leader !== undefined) this.problems.push(`${name} serves while ${this.#leader.name} does`);
      this.#leader = operator;
      this.#onServing(operator);
    });
    const config: OperatorConfig = { ...this.#config, leaderElection: { identity: name } };
    process.send(config);
    return operator;
  }

  #nextLeader(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nobody leads after ${startTimeoutMs} ms`)), startTimeoutMs);
      this.#onServing = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A standby that has only just been started does not contend yet, and its start would be measured. */
  async #untilStandbyWaits(): Promise<void> {
    const standby = this.#operators.find((operator) => operator !== this.#leader)!;
    const deadlineMs = performance.now() + startTimeoutMs;
    while (performance.now() < deadlineMs) {
      if (await this.#isWaiting(standby)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${standby.name} is not ready after ${startTimeoutMs} ms`);
  }

  async #isWaiting({ healthUrl }: Operator): Promise<boolean> {
    if (healthUrl === undefined) return false;
    const response = await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(5_000) });
    return (await response.text()).includes("[+] informers ok");
  }
}
