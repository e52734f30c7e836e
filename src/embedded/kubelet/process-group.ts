/**
 * Starts a command as the leader of its own session and process group, recorded in the ledger, and tells when it ends.
 * When the leader ends, what is left of its group is killed: as in a container, nothing outlives the first process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { InferiumError } from "../../base/errors.ts";
import { type GroupLedger, signalGroup } from "./group-ledger.ts";
import { signalNumber } from "./signals.ts";

export interface LaunchSpec {
  /** At least one word: the program, looked up in the PATH of `env` when it has no slash. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
}

export interface ProcessExit {
  /** 128 + signal number when a signal ended the process. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
}

export interface ProcessGroup {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Absent unless it was asked for: then reads find the end at once. */
  readonly stdin: Writable | undefined;
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** False when the group is gone. */
  signal(signal: NodeJS.Signals): boolean;
}

export interface ProcessGroupOptions {
  readonly hasStdin?: boolean;
  /** Called before anything else can happen to the new process, such as to put it under its limits. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
}

/** @throws InferiumError StartError when the program or its directory cannot be used */
export async function startProcessGroup(
  spec: LaunchSpec,
  ledger: GroupLedger,
  options: ProcessGroupOptions = {},
): Promise<ProcessGroup> {
  const [program, ...args] = spec.argv;
  if (program === undefined) throw startError(spec, new Error("the command is empty"));
  const child = spawnDetached(program, args, spec, options.hasStdin === true);
  const pid = child.pid;
  if (pid === undefined) throw startError(spec, await new Promise((resolve) => child.once("error", resolve)));
  ledger.record(pid);
  options.onSpawn?.(pid);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => {
      signalGroup(pid, "SIGKILL");
      ledger.forget(pid);
      resolve({ exitCode: code ?? 128 + signalNumber(signal), signal: signal ?? undefined });
    });
  });
  const { stdout, stderr } = child;
  const stdin = child.stdin ?? undefined;
  // A program may end, or close its input, while somebody still writes.
  stdin?.on("error", () => stdin.destroy());
  return { pid, stdout, stderr, stdin, exited, signal: (signal) => signalGroup(pid, signal) };
}

type PipedChild = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

function spawnDetached(program: string, args: readonly string[], spec: LaunchSpec, hasStdin: boolean): PipedChild {
  try {
    return spawn(program, args, {
      cwd: spec.workingDir,
      env: { ...spec.env },
      detached: true,
      stdio: [hasStdin ? "pipe" : "ignore", "pipe", "pipe"],
    }) as PipedChild;
  } catch (error) {
    // Thrown, not emitted, for arguments that no system call would take (a NUL byte).
    throw startError(spec, error);
  }
}

function startError(spec: LaunchSpec, cause: unknown): InferiumError {
  return new InferiumError(
    "StartError",
    `Cannot start '${spec.argv[0] ?? ""}' in ${spec.workingDir}: expected a program in PATH=${spec.env.PATH ?? ""} and an ` +
      "existing directory",
    { cause },
  );
}
