/** The operator and the gateway of the simulation, each a process of its own that gets SIGKILL; what they say is kept. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { OpenedCall } from "../../../src/pool/agents.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";
import { agentsConfig, gatewayKey } from "../../integration/operator/a-hosted-agent.ts";
import type { Cluster } from "../../integration/operator/operator-fixture.ts";
import { type Forked, forkOperator, waitForUrl } from "../fork-operator.ts";
import type { GatewaySettings } from "./gateway-process.ts";

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

export const startOperatorProcess = (cluster: Cluster, port: number): Promise<Forked> =>
  forkOperator({ ...cluster.config, pool: { ...cluster.config.pool, port }, agents: agentsConfig });

export async function startGatewayProcess(settings: Omit<GatewaySettings, "key">, heard: Heard): Promise<Forked> {
  const child = fork(new URL("./gateway-process.ts", import.meta.url), { serialization: "advanced" });
  child.on("message", (message: Message) => hear(heard, message));
  child.send({ ...settings, key: gatewayKey });
  return { child, url: await waitForUrl(child, ({ url }: Message) => url) };
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

export async function end({ child }: Forked, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}
