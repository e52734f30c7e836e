/**
 * The operator of a simulation, with all that it speaks through: the API server behind a proxy that fails, the chain behind
 * another, and a gate before each of them and before each member. It dies by being cut off from everything first, so that
 * nothing it still does gets out, as after SIGKILL; and comes back as a new process would, from what the server, the chain
 * and its records say.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../src/base/clock.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Logger } from "../../../src/base/log.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import { runOperator } from "../../../src/operator/operator.ts";
import { type FaultProxy, startFaultProxy } from "../../chaos/fault-proxy.ts";
import { createFaultPlan } from "../../chaos/faults.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import { type Cluster, kubeconfigOf } from "../../integration/operator/operator-fixture.ts";
import { type RpcProxy, startRpcProxy } from "../exactly-once/rpc-proxy.ts";
import { type Direction, type Gate, startGate } from "../gate.ts";
import type { FaultCounts } from "../scenario.ts";
import type { SimMember } from "./members.ts";

export interface OperatorHost {
  readonly api: Gate;
  readonly rpc: Gate;
  start(): Promise<void>;
  die(): Promise<void>;
  /**
   * Calls at the next message after so many that passes between it and one of its neighbours, in place of passing it on.
   * @returns takes it back
   */
  trip(at: OperatorStep, act: () => void): () => void;
  /** From now on nothing goes wrong by itself any more. */
  calm(): void;
  /** Moves its wall clock. */
  skew(ms: number): void;
  close(): Promise<void>;
}

export interface OperatorStep {
  readonly neighbour: "api" | "rpc" | "pool";
  readonly direction: Direction;
  readonly after: number;
}

export interface HostParts {
  readonly cluster: Cluster;
  readonly dir: string;
  readonly members: readonly SimMember[];
  readonly random: SeededRandom;
  readonly faults: FaultCounts;
  readonly logger: Logger;
  readonly settings: Partial<OperatorConfig>;
  readonly onProblem: (problem: string) => void;
}

const rates = { answers: 0.04, streams: 0.5, gone: true, conflicts: true } as const;
/** A pod that ended is started again, as a kubelet would, but sooner. */
const restartMs = 300;

export async function createOperatorHost(parts: HostParts): Promise<OperatorHost> {
  const { cluster, random, faults } = parts;
  const { url, adminToken, caPem } = cluster.server;
  const upstream = createStaticConnection({ server: url, token: adminToken, ca: caPem });
  const apiProxy = await startFaultProxy(upstream, createFaultPlan(random.fork("api"), rates));
  const rpcProxy = await startRpcProxy(cluster.config.chain.rpcUrl, random.fork("rpc"), faults);
  const [api, rpc] = [await startGate(), await startGate()];
  api.setTarget(Number(new URL(apiProxy.url).port));
  rpc.setTarget(Number(new URL(rpcProxy.url).port));
  const kubeconfig = join(parts.dir, "operator.kubeconfig");
  await writeFile(kubeconfig, kubeconfigOf({ url: `http://127.0.0.1:${api.port}`, adminToken }));
  return new SimOperator({ ...parts, apiProxy, rpcProxy, api, rpc, kubeconfig });
}

interface Parts extends HostParts {
  readonly apiProxy: FaultProxy;
  readonly rpcProxy: RpcProxy;
  readonly api: Gate;
  readonly rpc: Gate;
  readonly kubeconfig: string;
}

class SimOperator implements OperatorHost {
  readonly api: Gate;
  readonly rpc: Gate;
  readonly #parts: Parts;
  readonly #clock: Clock;
  #skewMs = 0;
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.api = parts.api;
    this.rpc = parts.rpc;
    this.#clock = { ...systemClock, now: () => systemClock.now() + this.#skewMs };
  }

  async start(): Promise<void> {
    this.api.setOpen(true);
    this.rpc.setOpen(true);
    this.#stop = new AbortController();
    this.#done = this.#run(this.#stop.signal);
  }

  async die(): Promise<void> {
    this.#pointMembers(undefined);
    this.api.setOpen(false);
    this.rpc.setOpen(false);
    this.#stop.abort(new Error("killed by the simulation"));
    await this.#done;
  }

  trip({ neighbour, direction, after }: OperatorStep, act: () => void): () => void {
    const gates = neighbour === "pool" ? this.#parts.members.map(({ gate }) => gate) : [this[neighbour]];
    const takeBack = gates.map((gate) => gate.trip(direction, after, act));
    return () => {
      for (const one of takeBack) one();
    };
  }

  calm(): void {
    this.#parts.apiProxy.calm();
    this.#parts.rpcProxy.setFaulty(false);
  }

  skew(ms: number): void {
    this.#skewMs = ms;
  }

  async close(): Promise<void> {
    await this.die();
    const { apiProxy, rpcProxy, faults } = this.#parts;
    for (const [fault, count] of apiProxy.faults) faults[`api-${fault}`] = (faults[`api-${fault}`] ?? 0) + count;
    await Promise.all([this.api.close(), this.rpc.close(), apiProxy.close(), rpcProxy.close()]);
  }

  /** Until it is killed. Whatever fails, it waits: an end of its own is a problem, though a kubelet would start it again. */
  async #run(signal: AbortSignal): Promise<void> {
    const { cluster, settings, kubeconfig, logger, onProblem } = this.#parts;
    const { chain } = cluster.config;
    const config = {
      ...cluster.config,
      ...settings,
      kubeconfigPath: kubeconfig,
      chain: { ...chain, rpcUrl: `http://127.0.0.1:${this.rpc.port}`, ...settings.chain },
    };
    const onServing = (url: string) => {
      if (!signal.aborted) this.#pointMembers(Number(new URL(url).port));
    };
    while (!signal.aborted) {
      try {
        await runOperator(config, { signal, logger, clock: this.#clock, onServing });
        if (!signal.aborted) onProblem("the operator ended by itself, without an error");
      } catch (error) {
        if (signal.aborted) return;
        logger.error("the operator ended", { error: String(error) });
        onProblem(`the operator ended by itself: ${error}`);
      }
      if (!signal.aborted) await systemClock.sleep(restartMs, signal).catch(() => undefined);
    }
  }

  #pointMembers(port: number | undefined): void {
    for (const { gate } of this.#parts.members) {
      gate.setTarget(port);
      gate.cut();
    }
  }
}
