/** Runs the real kubectl against a server, with a kubeconfig and cache of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiServer } from "../../../src/embedded/apiserver/server.ts";

export const kubectlPath = "kubectl";

export function hasKubectl(): boolean {
  return spawnSync(kubectlPath, ["version", "--client"], { stdio: "ignore" }).status === 0;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class Kubectl {
  readonly folder = mkdtempSync(join(tmpdir(), "inferium-kubectl-"));
  readonly #children = new Set<ChildProcess>();

  constructor(server: ApiServer) {
    writeFileSync(join(this.folder, "kubeconfig"), server.kubeconfig());
  }

  /** Runs to the end; gives `input` on stdin. Never rejects for a failure of kubectl. */
  async run(args: string | readonly string[], input?: string): Promise<Outcome> {
    const child = this.start(args);
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.stdin?.end(input);
    const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? -1)));
    return { code, out: stdout(), err: stderr() };
  }

  /** Runs to the end and fails unless kubectl succeeds. Returns what it printed. */
  async ok(args: string | readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.run(args, input);
    if (code !== 0) throw new Error(`kubectl ${String(args)} exited ${code}: ${err}${out}`);
    return out.trim();
  }

  start(args: string | readonly string[]): ChildProcess {
    const list = typeof args === "string" ? args.split(" ") : args;
    const env = { PATH: process.env.PATH ?? "", HOME: this.folder, KUBECONFIG: join(this.folder, "kubeconfig") };
    const child = spawn(kubectlPath, list, { env, stdio: "pipe" });
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
