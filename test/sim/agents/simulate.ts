/**
 * `npm run test:sim -- agents [--kills N]`: an agent is called all the time while its operator and its gateway are killed in the
 * middle of windows, answers of the pool are lost so that windows come again, windows are brought again by somebody else with
 * the same and with other words, and a caller calls on with its budget spent. Each call must be counted once, but for those that
 * were answered in the last moments of a gateway that was killed, which may go uncounted; no window may be settled twice, nobody pay above its budget, and the revenue be split to the wei.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, InferiumError } from "../../../src/base/errors.ts";
import { createClient } from "../../../src/kube/client.ts";
import { agents } from "../../../src/operator/kinds.ts";
import type { BatchData } from "../../../src/pool/batch-evidence.ts";
import type { PoolClient } from "../../../src/pool/client.ts";
import { parseIfr } from "../../../src/protocol/amount.ts";
import { judgeItem } from "../../../src/validator/judge.ts";
import { createRandom, type SeededRandom } from "../../chaos/random.ts";
import { json, startTestBackend } from "../../integration/gateway/support/test-backends.ts";
import {
  anAgent,
  connectGateway,
  createKeySecret,
  createSlice,
  planWindow,
  priceWei,
  registerAgent,
} from "../../integration/operator/a-hosted-agent.ts";
import { type Cluster, requester, startCluster } from "../../integration/operator/operator-fixture.ts";
import { executeTwice, runHost } from "../../integration/operator/scripted-host.ts";
import { connect, type Running, runValidator } from "../../integration/operator/scripted-members.ts";
import type { Forked } from "../fork-operator.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { checkOutcome, listUncounted, readTasks } from "./assert-agents.ts";
import { type Caller, startCaller } from "./callers.ts";
import { end, type Heard, startGatewayProcess, startOperatorProcess } from "./processes.ts";

const validators = ["v1", "v2", "v3"];
const settleMs = 120_000;
const budgets = { alice: "100", bob: "0.12" };
const keyOf = (caller: string) => `the-secret-of-${caller}-01`;
const never = new AbortController().signal;

export async function simulateAgents({ seed, numbers, onProgress }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const random = createRandom(seed);
  const cluster = await startCluster({ workers: ["w1"], validators });
  const backend = await startDoubler();
  const world = new World(cluster, { seed, backend: backend.url });
  try {
    const agentId = await world.open();
    for (let kill = 0; kill < (numbers.kills ?? 0); kill++) {
      await sleep(random.between(300, 1_200));
      await world.replay(random);
      await world.overspend(agentId);
      await world.kill(random.pick(["operator", "gateway"]));
      onProgress?.(`kill ${kill + 1}: ${world.heard.windows.size} windows`);
    }
    await world.finish();
    const served = backend.requests.filter(({ path }) => path.endsWith("/infer")).length;
    const outcome = await world.readOutcome(served);
    const problems = [...world.problems, ...checkOutcome(outcome), ...(await world.checkStakes())];
    const count = (prefix: string) => problems.filter((problem) => problem.startsWith(prefix)).length;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const answered = [...outcome.leaves].map(([id, leaves]) => `${id}: ${leaves.length} answers`);
    const uncounted = listUncounted(outcome).length;
    const table = [
      `${served} calls, ${world.heard.windows.size} windows, ${outcome.tasks.length} tasks`,
      ...answered,
      `${uncounted} answered within the last moments of a killed gateway, and free of charge`,
    ];
    const counts = { lost: count("settled"), paidTwice: count("twice"), slashedWrongly: count("slash") };
    return { seed, seconds, faults: world.faults, problems, tasks: outcome.tasks.length, ...counts, table };
  } finally {
    await world.close();
    await backend.close();
    await cluster.close();
  }
}

/** A replica that doubles numbers. */
function startDoubler() {
  return startTestBackend(async (path, body, response) => {
    if (path === "/v2") return void json(response, 200, { name: "test", version: "0", extensions: [] });
    if (!path.endsWith("/infer")) return void response.writeHead(200).end();
    const { inputs } = JSON.parse(body) as { inputs: { data: number[] }[] };
    const data = [(inputs[0]?.data[0] ?? 0) * 2];
    json(response, 200, {
      model_name: "doubler",
      outputs: [{ name: "y", datatype: "UINT8", shape: [1], data }],
    });
  });
}

class World {
  readonly faults: FaultCounts = {};
  readonly problems: string[] = [];
  readonly heard: Heard = { windows: new Map(), opened: new Map(), lostAnswers: 0, refused: [] };
  readonly #cluster: Cluster;
  readonly #settings: { readonly seed: number; readonly backend: string };
  readonly #running: Running[] = [];
  #callers: Caller[] = [];
  #operator: Forked | undefined;
  #gateway: Forked | undefined;
  /** Speaks for gateways too: what it brings was brought before, or is refused. */
  #second: PoolClient | undefined;
  #gateways = 0;
  /** When gateways were killed. */
  readonly #killsAtMs: number[] = [];
  readonly #spoolDir = mkdtempSync(join(tmpdir(), "inferium-sim-spool-"));

  constructor(cluster: Cluster, settings: { readonly seed: number; readonly backend: string }) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** The agent's id. */
  async open(): Promise<string> {
    const cluster = this.#cluster;
    await cluster.order("order");
    const agentId = await registerAgent(cluster, cluster.member("w1").owner);
    for (const caller of Object.keys(budgets)) await createKeySecret(cluster, `${caller}-key`, keyOf(caller));
    const callers = Object.entries(budgets).map(([id, budget]) => ({
      ...{ id, keyRef: { name: `${id}-key` }, requester: requester.address, orderRef: { name: "order" }, budget },
    }));
    await createClient(cluster.transport, agents).create(anAgent("doubler", agentId, { callers }));
    await createSlice(cluster, "doubler");
    this.#operator = await startOperatorProcess(cluster, 0);
    const operator = { url: this.#operator.url, metricsUrl: "", stop: async () => undefined };
    const judge = (item: Parameters<typeof judgeItem>[1]) =>
      judgeItem({ execute: executeTwice, domain: cluster.domain }, item, never);
    this.#running.push(
      ...validators.map((name) => runValidator(cluster, operator, name, { script: { judge } })),
      runHost(cluster, operator, "w1"),
    );
    this.#second = connectGateway(cluster, operator);
    await this.#startGateway();
    this.#callers = Object.keys(budgets).map((id) => startCaller(id, keyOf(id), () => this.#gateway?.url ?? ""));
    return agentId;
  }

  async #startGateway(): Promise<void> {
    const { seed, backend } = this.#settings;
    const poolUrl = this.#operator?.url ?? "";
    const settings = {
      poolUrl,
      caPem: this.#cluster.poolCa,
      backend,
      windowCalls: 64,
      lostPercent: 25,
      spoolDir: this.#spoolDir,
    };
    this.#gateway = await startGatewayProcess({ ...settings, seed: seed + this.#gateways++ }, this.heard);
  }

  async kill(what: "operator" | "gateway"): Promise<void> {
    countFault(this.faults, `${what}-kill`);
    if (what === "gateway") {
      this.#killsAtMs.push(Date.now());
      if (this.#gateway) await end(this.#gateway, "SIGKILL");
      return this.#startGateway();
    }
    if (!this.#operator) return;
    await end(this.#operator, "SIGKILL");
    // Where it was, so that everybody finds it again.
    this.#operator = await startOperatorProcess(this.#cluster, Number(new URL(this.#operator.url).port));
  }

  /** A window that the pool has: the same words get the same seed, others are refused, and it is not opened again. */
  async replay(random: SeededRandom): Promise<void> {
    const known = [...this.heard.windows.values()];
    const second = this.#second;
    const one = known[random.between(0, known.length - 1)];
    if (!one || !second) return;
    countFault(this.faults, "window-replayed");
    const { window, seeds } = one;
    const again = await second.window(window).catch((error: unknown) => describeError(error));
    if (typeof again === "string") this.problems.push(`replay: window ${window.windowId} came again: ${again}`);
    else seeds.add(again.seed);
    await this.#expectRefusal("WindowChanged", () => second.window({ ...window, count: window.count + 1 }));
    const calls = this.heard.opened.get(window.windowId);
    if (!calls) return;
    const opened = await second
      .open({ windowId: window.windowId, calls })
      .catch((error: unknown) => describeError(error));
    if (typeof opened === "string" || opened.status !== "Duplicate")
      this.problems.push(`replay: window ${window.windowId} was opened again: ${JSON.stringify(opened)}`);
  }

  /** As a gateway would that lets a caller spend what it has not. */
  async overspend(agentId: string): Promise<void> {
    countFault(this.faults, "overspent");
    const calls = Array.from({ length: 13 }, (_, value) => value);
    const { window } = planWindow(agentId, { callerId: "bob", calls });
    await this.#expectRefusal("BudgetExceeded", () => this.#second?.window(window));
  }

  async #expectRefusal(code: string, ask: () => Promise<unknown> | undefined): Promise<void> {
    const until = performance.now() + 30_000;
    const codeOf = (error: unknown) => (error instanceof InferiumError ? error.code : describeError(error));
    let got = "";
    do {
      got = (await ask()?.then(() => "taken", codeOf)) ?? code;
      // An operator that has just started knows no budget yet.
    } while (got === "AgentsNotRead" && performance.now() < until && (await sleep(200, true)));
    if (got !== code) this.problems.push(`refusal: expected ${code}, got ${got}`);
  }

  /** Nobody calls any more, the gateway brings what it has, and all that was opened is settled. */
  async finish(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.stop()));
    if (this.#gateway) await end(this.#gateway, "SIGTERM");
    this.faults["answer-lost"] = this.heard.lostAnswers;
    for (const { id, refused } of this.#callers) if (id === "bob") this.faults["call-beyond-budget"] = refused;
    const until = performance.now() + settleMs;
    const isOpen = async () => (await readTasks(this.#cluster)).some(({ status }) => !status?.settlement?.block);
    while ((await isOpen()) && performance.now() < until) await sleep(200);
  }

  async readOutcome(served: number) {
    const tasks = await readTasks(this.#cluster);
    const sequences = new Set(tasks.flatMap(({ status }) => status?.settlement?.batch ?? []));
    const client = connect(this.#cluster, { url: this.#operator?.url ?? "" }, "v1");
    const batches: BatchData[] = [];
    for (const sequence of [...sequences].map(Number).sort((a, b) => a - b))
      batches.push((await client.batch({ sequence: String(sequence) })).batch);
    await client.close();
    return {
      ...{ batches, tasks, served, priceWei, heard: this.heard },
      leaves: new Map(this.#callers.map(({ id, leaves }) => [id, leaves])),
      killsAtMs: this.#killsAtMs,
      budgets: new Map(Object.entries(budgets).map(([id, ifr]) => [id, parseIfr(ifr)])),
      creator: await this.#cluster.admin.signer.getAddress(),
      host: this.#cluster.member("w1").owner,
    };
  }

  async checkStakes(): Promise<string[]> {
    const problems: string[] = [];
    for (const { name, role, signer } of this.#cluster.members) {
      const want = (role === "Worker" ? 10_000n : 50_000n) * 10n ** 18n;
      const { stakeWei } = await this.#cluster.chain.node(signer.address);
      if (stakeWei !== want) problems.push(`slash: ${name} has ${stakeWei} wei, expected ${want}`);
    }
    return problems;
  }

  async close(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.stop()));
    await Promise.all(this.#running.splice(0).map((member) => member.stop()));
    await this.#second?.close();
    for (const process of [this.#gateway, this.#operator]) if (process) await end(process, "SIGKILL");
    rmSync(this.#spoolDir, { recursive: true, force: true });
  }
}
