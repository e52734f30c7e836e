/**
 * A child process that cannot outlive its parent. It has its own process group, so that Ctrl-C in a terminal reaches only
 * the parent, which stops its children in order. A guard waits on a pipe that closes when the parent ends in any way,
 * SIGKILL included, and then kills the child.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { InferiumError } from "../../base/errors.ts";

export interface GuardedChild {
  readonly pid: number;
  /** The exit code or the signal's name. */
  readonly exited: Promise<number | string>;
  /** Called with each piece of output, that of the past included. */
  onOutput(listener: (text: string) => void): void;
  /** The last 2,000 characters of output. */
  recentOutput(): string;
  /** Kills the child and resolves once it is gone. */
  stop(): Promise<void>;
}

export interface GuardedChildOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const keptOutput = 2_000;

/** @throws InferiumError ChildNotStarted */
export function startGuarded(binary: string, args: readonly string[], options: GuardedChildOptions): GuardedChild {
  const child = spawn(binary, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "an unknown end"));
    child.once("error", (error) => resolve(error.message));
  });
  if (child.pid === undefined) {
    throw new InferiumError("ChildNotStarted", `${binary} could not be started in ${options.cwd}. Is it executable?`, {
      disposition: "fatal",
    });
  }
  const guard = startGuard(child.pid);
  void exited.then(() => guard.kill("SIGKILL"));
  const output = collectOutput(child);
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  return { pid: child.pid, exited, stop, ...output };
}

/** `read` ends when the parent's end of the pipe does. A shell, since it is the smallest process that is everywhere. */
function startGuard(pid: number): ChildProcess {
  const guard = spawn("/bin/sh", ["-c", `read -r _; kill -KILL ${pid}`], {
    detached: true,
    env: {},
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without its guard the child must not run at all: it would be left behind.
  guard.once("error", () => process.kill(pid, "SIGKILL"));
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return guard;
}

function collectOutput(child: ChildProcessByStdio<null, Readable, Readable>) {
  let recent = "";
  const listeners: ((text: string) => void)[] = [];
  const collect = (chunk: Buffer) => {
    recent = (recent + chunk.toString("utf8")).slice(-keptOutput);
    for (const listener of listeners) listener(recent);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return {
    recentOutput: () => recent.trim(),
    onOutput: (listener: (text: string) => void) => {
      listeners.push(listener);
      if (recent !== "") listener(recent);
    },
  };
}
