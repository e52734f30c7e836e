/** Starts the project's own command or another one as a user would, and collects what it prints. */
import { type ChildProcess, spawn } from "node:child_process";

const root = new URL("../../", import.meta.url).pathname;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  /** What Ctrl-C does in a terminal: the signal goes to the command and everything that it started in its group. */
  interrupt(signal?: NodeJS.Signals): void;
  /** What it printed so far. */
  output(): string;
  /** Resolves when its output matches; rejects when it ends first or after `timeoutMs`. */
  printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
}

export function startCommand(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const done = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  const output = () => `${stdout}\n${stderr}`;
  return {
    child,
    done,
    output,
    interrupt(signal = "SIGINT") {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, signal);
    },
    printed: (pattern, timeoutMs) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output());
          if (match) finish(() => resolve(match));
        };
        const fail = (why: string) => finish(() => reject(new Error(`${why} before ${pattern}:\n${output()}`)));
        const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          listeners.delete(look);
          settle();
        };
        listeners.add(look);
        void done.then(() => fail("it ended"));
        look();
      }),
  };
}

export function runCommand(command: string, args: readonly string[]): Promise<Finished> {
  return startCommand(command, args).done;
}

/** `inferium ...` as `npm start` runs it: from the bundle, made first where sources have changed. */
export async function startInferium(args: readonly string[]): Promise<Running> {
  const bundled = await runCommand(process.execPath, ["bundle.ts", "--if-changed"]);
  if (bundled.code !== 0) throw new Error(`bundle.ts ended with ${bundled.code}:\n${bundled.stderr}`);
  return startCommand(process.execPath, ["dist/main.js", ...args]);
}
