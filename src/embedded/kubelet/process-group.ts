/**
 * Starts a command as the leader of its own session and process group, recorded in the ledger, and tells when it ends.
 * When the leader ends, what is left of its group is killed: as in a container, nothing outlives the first process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
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
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** False when the group is gone. */
  signal(signal: NodeJS.Signals): boolean;
}

/** @throws InferiumError StartError when the program or its directory cannot be used */
export async function startProcessGroup(spec: LaunchSpec, ledger: GroupLedger): Promise<ProcessGroup> {
  const [program, ...args] = spec.argv;
  if (program === undefined) throw startError(spec, new Error("the command is empty"));
  const child = spawnDetached(program, args, spec);
  const pid = child.pid;
  if (pid === undefined) throw startError(spec, await new Promise((resolve) => child.once("error", resolve)));
  ledger.record(pid);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => {
      signalGroup(pid, "SIGKILL");
      ledger.forget(pid);
      resolve({ exitCode: code ?? 128 + signalNumber(signal), signal: signal ?? undefined });
    });
  });
  return { pid, stdout: child.stdout, stderr: child.stderr, exited, signal: (signal) => signalGroup(pid, signal) };
}

type PipedChild = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

function spawnDetached(program: string, args: readonly string[], spec: LaunchSpec): PipedChild {
  try {
    return spawn(program, args, {
      cwd: spec.workingDir,
      env: { ...spec.env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
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
