/**
 * Reads this machine's GPUs: `nvidia-smi -q -x` through the package node-nvidia-smi, in a process of its own.
 *
 * Why not in this process: measured on 1.0.0, the package never gives up on a command that hangs, drops the document when
 * the driver prints a warning, answers null to empty output, and stops at 1 MiB. So a reader process runs it with a time
 * limit; what it gives is read as the tree it is. Where it gives nothing, the reader runs the command once itself, and
 * what came out decides: a document that parses is a reading, whatever the exit status and stderr say (a corrupted infoROM
 * exits 14 with a good document); anything else becomes one NvidiaSmiFailure. Called by the agent once per interval.
 */
import { type ChildProcess, fork } from "node:child_process";
import { basename, delimiter, dirname } from "node:path";
import { describeError } from "../../base/errors.ts";
import { classifyFailure } from "./classify.ts";
import { NvidiaSmiFailure } from "./failure.ts";
import { parseNvidiaSmi, readDocument } from "./parse.ts";
import type { ReaderAnswer, ReaderRequest } from "./reader-answer.ts";
import type { HardwareReading } from "./reading.ts";

export interface NvidiaSmiOptions {
  /** A path, or a name to look up on PATH. */
  readonly command: string;
  /** For the whole reading. Without persistence mode a machine of eight GPUs takes ten seconds. */
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** All that the command gets of the agent's environment, such as PATH and LD_LIBRARY_PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** @throws NvidiaSmiFailure; the signal's reason when aborted */
export async function readNvidiaSmi(options: NvidiaSmiOptions): Promise<HardwareReading> {
  options.signal?.throwIfAborted();
  const answer = await askReader(options);
  if (answer.from === "package") return readDocument(answer.tree);
  const failure = classifyFailure(answer, options);
  if (failure) throw failure;
  return parseNvidiaSmi(answer.stdout);
}

// From source or from the bundle, where it is an entry of its own: the neighbour has the same extension as this file.
const readerUrl = new URL(`./reader-process.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

function startReader(options: NvidiaSmiOptions): ChildProcess {
  const { command, maxOutputBytes, environment } = options;
  const isPath = basename(command) !== command;
  const request: ReaderRequest = { command, usePackage: basename(command) === "nvidia-smi", maxOutputBytes };
  const path = [isPath ? dirname(command) : "", environment.PATH ?? ""].filter((part) => part !== "");
  return fork(readerUrl, [JSON.stringify(request)], {
    env: { ...environment, PATH: path.join(delimiter), LC_ALL: "C" },
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    detached: true,
  });
}

/** The reader's one answer; its process group is gone when this settles. */
async function askReader(options: NvidiaSmiOptions): Promise<ReaderAnswer> {
  const reader = startReader(options);
  const settled = new AbortController();
  try {
    return await new Promise<ReaderAnswer>((resolve, reject) => {
      const timer = setTimeout(() => reject(timedOut(options)), options.timeoutMs);
      settled.signal.addEventListener("abort", () => clearTimeout(timer));
      const onAbort = () => reject(options.signal?.reason);
      options.signal?.addEventListener("abort", onAbort, { signal: settled.signal });
      reader.once("message", (message) => resolve(message as ReaderAnswer));
      reader.once("error", (error) => reject(readerFailed(describeError(error))));
      reader.once("exit", (code, signal) => reject(readerFailed(`it ended with ${signal ?? `status ${code}`}`)));
    });
  } finally {
    settled.abort();
    killGroup(reader);
  }
}

function killGroup(leader: ChildProcess): void {
  try {
    if (leader.pid !== undefined) process.kill(-leader.pid, "SIGKILL");
  } catch (error) {
    // Gone already, which is what was wanted; anything else must be known.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function timedOut({ command, timeoutMs }: NvidiaSmiOptions): NvidiaSmiFailure {
  const message = `${command} -q -x gave no answer in ${timeoutMs} ms and was killed; the driver may be stuck (see dmesg).`;
  return new NvidiaSmiFailure("TimedOut", message);
}

function readerFailed(problem: string): NvidiaSmiFailure {
  return new NvidiaSmiFailure("Failed", `The process that runs nvidia-smi gave no answer: ${problem}.`);
}
