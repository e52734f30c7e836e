/**
 * The reader process: a short life of its own for the package node-nvidia-smi, which has no time-out, buffers what it gets,
 * gives nothing when anything is on stderr, and may hand over null or fail outside its callback. Here that ends this
 * process at worst. Started by read.ts as the leader of a process group; answers once over IPC and exits; when the agent is
 * gone it takes its whole group with it. Effects: runs nvidia-smi, once or twice.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { describeError } from "../../base/errors.ts";
import type { DirectAnswer, ReaderAnswer, ReaderRequest } from "./reader-answer.ts";

type PackageCallback = (error: unknown, data?: unknown) => void;

const maxStderrCharacters = 2_000;

process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
answer(JSON.parse(process.argv[2] ?? "{}") as ReaderRequest);

async function answer(request: ReaderRequest): Promise<void> {
  const message = await read(request);
  process.send?.(message, () => process.exit(0));
}

async function read(request: ReaderRequest): Promise<ReaderAnswer> {
  try {
    if (!request.usePackage) throw new Error("not asked");
    const tree = await readWithPackage();
    // For no output at all the package reports success and hands over null.
    if (typeof tree !== "object" || tree === null) throw new Error("it handed over nothing");
    return { from: "package", tree };
  } catch (error) {
    return readDirectly(request, describeError(error));
  }
}

function readWithPackage(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    process.once("uncaughtException", reject);
    const load = createRequire(import.meta.url) as (name: string) => (callback: PackageCallback) => void;
    const readGpus = load("node-nvidia-smi");
    readGpus((error, data) => {
      if (error) reject(error);
      else resolve(data);
    });
  });
}

function readDirectly(request: ReaderRequest, packageError: string): Promise<DirectAnswer> {
  const options = { maxBuffer: request.maxOutputBytes, encoding: "utf8", killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(request.command, ["-q", "-x"], options, (error, stdout, stderr) => {
      resolve({
        from: "direct",
        stdout,
        stderr: stderr.slice(0, maxStderrCharacters),
        exitCode: error === null ? 0 : typeof error.code === "number" ? error.code : undefined,
        systemError: typeof error?.code === "string" ? error.code : undefined,
        packageError: packageError.slice(0, maxStderrCharacters),
      });
    });
  });
}
