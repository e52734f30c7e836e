/** Runs the real kubectl against a server, with a kubeconfig and cache of its own. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiServer } from "../../../src/embedded/apiserver/server.ts";
import { CommandLine, type Outcome } from "../clients/command-line.ts";

export const kubectlPath = "kubectl";

export function hasKubectl(): boolean {
  return spawnSync(kubectlPath, ["version", "--client"], { stdio: "ignore" }).status === 0;
}

export class Kubectl {
  readonly #line: CommandLine;

  constructor(server: ApiServer) {
    this.#line = new CommandLine(kubectlPath, { kubeconfig: "kubeconfig", cwd: process.cwd() });
    writeFileSync(join(this.folder, "kubeconfig"), server.kubeconfig());
  }

  get folder(): string {
    return this.#line.home;
  }

  /** Runs to the end; gives `input` on stdin. Never rejects for a failure of kubectl. */
  run(args: string | readonly string[], input?: string): Promise<Outcome> {
    return this.#line.run(args, input === undefined ? {} : { input });
  }

  /** Runs to the end and fails unless kubectl succeeds. Returns what it printed. */
  async ok(args: string | readonly string[], input?: string): Promise<string> {
    return (await this.#line.ok(args, input === undefined ? {} : { input })).trim();
  }

  start(args: string | readonly string[]): ChildProcess {
    return this.#line.start(args);
  }

  close(): void {
    this.#line.close();
  }
}
