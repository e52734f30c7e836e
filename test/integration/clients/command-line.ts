/** Runs one client's binary against a cluster, in a namespace, with a home folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Longer than anything here should take; a client that hangs must not hang the run. */
const timeoutMs = 150_000;

export class CommandLine {
  readonly home = mkdtempSync(join(tmpdir(), "inferium-client-"));
  readonly #binary: string;
  readonly #kubeconfig: string;
  readonly #cwd: string;
  readonly #children = new Set<ChildProcess>();

  /** @param where a kubeconfig, or one whose name is taken from the home folder, and where it runs if not there */
  constructor(binary: string, where: string | { readonly kubeconfig: string; readonly cwd: string }) {
    this.#binary = binary;
    this.#kubeconfig = typeof where === "string" ? where : join(this.home, where.kubeconfig);
    this.#cwd = typeof where === "string" ? this.home : where.cwd;
  }

  /** Never rejects for a failure of the client. Words are split at spaces; give a list where one holds a space. */
  async run(args: string | readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.start(args, options);
    const [out, err] = [collect(child.stdout), collect(child.stderr)];
    child.stdin?.on("error", () => child.stdin?.destroy());
    child.stdin?.end(options.input);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? -1)));
    clearTimeout(timer);
    return { code, out: out(), err: err() };
  }

  /** What it printed, without the last newline. @throws when it does not succeed */
  async ok(args: string | readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, out, err } = await this.run(args, options);
    if (code !== 0) throw new Error(`${this.#binary} ${[args].flat().join(" ")} exited ${code}: ${err}${out}`);
    return out.trimEnd();
  }

  /** What it printed to stderr. @throws when it succeeds */
  async fails(args: string | readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, out, err } = await this.run(args, options);
    if (code === 0) throw new Error(`${this.#binary} ${[args].flat().join(" ")} succeeded: ${out}`);
    return err.trimEnd();
  }

  start(args: string | readonly string[], options: RunOptions = {}): ChildProcess {
    const list = typeof args === "string" ? args.split(" ") : args;
    const env = { PATH: process.env.PATH ?? "", HOME: this.home, KUBECONFIG: this.#kubeconfig, ...options.env };
    const child = spawn(this.#binary, list, { env, cwd: this.#cwd, stdio: "pipe" });
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.home, { recursive: true, force: true });
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
