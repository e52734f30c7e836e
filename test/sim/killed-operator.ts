/** An operator in a process of its own that gets SIGKILL and comes back, behind an address that stays: its members never know which they speak to. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { forkOperator } from "./fork-operator.ts";
import { type Gate, startGate } from "./gate.ts";

export interface KilledOperator {
  readonly url: string;
  /** SIGKILL, and the next one serves. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

export async function startKilledOperator(config: OperatorConfig): Promise<KilledOperator> {
  const gate = await startGate();
  let child = await startOne(config, gate);
  const kill = async () => {
    gate.setTarget(undefined);
    gate.cut();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    url: `https://127.0.0.1:${gate.port}`,
    replace: async () => {
      await kill();
      child = await startOne(config, gate);
    },
    close: async () => {
      await kill();
      await gate.close();
    },
  };
}

async function startOne(config: OperatorConfig, gate: Gate): Promise<ChildProcess> {
  const { child, url } = await forkOperator(config);
  gate.setTarget(Number(new URL(url).port));
  return child;
}
