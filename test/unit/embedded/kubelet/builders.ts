/** Pods, nodes and a clock for the tests of the kubelet and the scheduler. */
import type { Clock } from "../../../../src/base/clock.ts";
import type { Container, Node, Pod, PodSpec } from "../../../../src/embedded/kubelet/core-types.ts";
import type { NodeFacts } from "../../../../src/embedded/kubelet/field-ref.ts";
import type { PodSources } from "../../../../src/embedded/kubelet/sources.ts";

export function aContainer(overrides: Partial<Container> = {}): Container {
  return { name: "main", image: "sh", ...overrides };
}

export function aPod(spec: Partial<PodSpec> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", uid: "uid-1", ...metadata },
    spec: { containers: [aContainer()], ...spec },
  };
}

export interface NodeShape {
  readonly labels?: Record<string, string>;
  readonly spec?: Node["spec"];
  readonly allocatable?: Record<string, string>;
  readonly ready?: boolean;
}

export function aNode(name: string, shape: NodeShape = {}): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...shape.labels } },
    spec: shape.spec ?? {},
    status: {
      allocatable: { cpu: "4", memory: "8Gi", pods: "10", ...shape.allocatable },
      conditions: [{ type: "Ready", status: (shape.ready ?? true) ? "True" : "False" }],
    },
  };
}

export const facts: NodeFacts = {
  nodeName: "node-a",
  hostIP: "127.0.0.1",
  podIP: "127.0.0.1",
  allocatable: { cpu: "4", memory: "8Gi" },
};

type Texts = Record<string, Record<string, string>>;

export function sourcesOf(configMaps: Texts = {}, secrets: Texts = {}): PodSources {
  const encode = (texts: Texts) =>
    new Map(
      Object.entries(texts).map(([name, data]) => [
        name,
        new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)])),
      ]),
    );
  return { configMaps: encode(configMaps), secrets: encode(secrets) };
}

/** Time that moves only when told; sleepers wake in order. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(startMs = Date.parse("2026-01-01T00:00:00Z")) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason);
      });
    });
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter((one) => one.at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
