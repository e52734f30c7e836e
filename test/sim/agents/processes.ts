/** The operator and the gateway of the simulation, each a process of its own that gets SIGKILL; what they say is kept. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { OpenedCall } from "../../../src/pool/agents.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";
import { agentsConfig, gatewayKey } from "../../integration/operator/a-hosted-agent.ts";
import type { Cluster } from "../../integration/operator/operator-fixture.ts";
import type { GatewaySettings } from "./gateway-process.ts";

const startMs = 60_000;

/** What gateways said before they were killed. */
export interface Heard {
  readonly windows: Map<string, { readonly window: CallWindow; readonly seeds: Set<string> }>;
  readonly opened: Map<string, readonly OpenedCall[]>;
  lostAnswers: number;
  /** Codes for which windows were refused for good. */
  readonly refused: string[];
}

interface Message {
  readonly url?: string;
  readonly poolUrl?: string;
  readonly window?: CallWindow;
  readonly seed?: string;
  readonly opened?: string;
  readonly calls?: readonly OpenedCall[];
  readonly lost?: string;
  readonly refused?: string;
}

export async function startOperatorProcess(cluster: Cluster, port: number): Promise<Killable> {
  const child = fork(new URL("../failover/operator-process.ts", import.meta.url), { serialization: "advanced" });
  child.send({ ...cluster.config, pool: { ...cluster.config.pool, port }, agents: agentsConfig });
  return { child, url: await waitForUrl(child, ({ poolUrl }) => poolUrl) };
}

export async function startGatewayProcess(settings: Omit<GatewaySettings, "key">, heard: Heard): Promise<Killable> {
  const child = fork(new URL("./gateway-process.ts", import.meta.url), { serialization: "advanced" });
  child.on("message", (message: Message) => hear(heard, message));
  child.send({ ...settings, key: gatewayKey });
  return { child, url: await waitForUrl(child, ({ url }) => url) };
}

function hear(heard: Heard, { window, seed, opened, calls, lost, refused }: Message): void {
  if (window && seed) {
    const known = heard.windows.get(window.windowId) ?? { window, seeds: new Set() };
    known.seeds.add(seed);
    heard.windows.set(window.windowId, known);
  }
  if (opened && calls) heard.opened.set(opened, calls);
  if (lost) heard.lostAnswers += 1;
  if (refused) heard.refused.push(refused);
}

export interface Killable {
  readonly child: ChildProcess;
  readonly url: string;
}

export async function end({ child }: Killable, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function waitForUrl(child: ChildProcess, urlOf: (message: Message) => string | undefined): Promise<string> {
  const found = Promise.withResolvers<string>();
  const timer = setTimeout(() => found.reject(new Error("the process does not serve")), startMs);
  child.on("message", (message: Message) => {
    const url = urlOf(message);
    if (url !== undefined) found.resolve(url);
  });
  child.once("exit", (code) => found.reject(new Error(`the process ended with ${code} before it served`)));
  return found.promise.finally(() => clearTimeout(timer));
}
