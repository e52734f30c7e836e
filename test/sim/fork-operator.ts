/** An operator in a process of its own, for simulations that end it at will, and what tells them where such a process serves. */
import { type ChildProcess, fork } from "node:child_process";
import type { OperatorConfig } from "../../src/operator/config.ts";

export interface Forked {
  readonly child: ChildProcess;
  readonly url: string;
}

const startMs = 60_000;

/** Resolves when its pool API is open. */
export async function forkOperator(config: OperatorConfig): Promise<Forked> {
  const child = fork(new URL("failover/operator-process.ts", import.meta.url), { serialization: "advanced" });
  child.send(config);
  return { child, url: await waitForUrl(child, ({ poolUrl }: { readonly poolUrl?: string }) => poolUrl) };
}

/** Of the first message that has one. */
export async function waitForUrl<M>(child: ChildProcess, urlOf: (message: M) => string | undefined): Promise<string> {
  const found = Promise.withResolvers<string>();
  const timer = setTimeout(() => found.reject(new Error("the process does not serve")), startMs);
  child.on("message", (message: M) => {
    const url = urlOf(message);
    if (url !== undefined) found.resolve(url);
  });
  child.once("exit", (code) => found.reject(new Error(`the process ended with ${code} before it served`)));
  return found.promise.finally(() => clearTimeout(timer));
}
