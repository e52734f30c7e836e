/** What a process of the soak says of itself, and both ends of asking for it: over the channel that `fork` opens. */
import { type ChildProcess, fork } from "node:child_process";
import { readdir } from "node:fs/promises";

export interface ProcessSample {
  readonly rssMiB: number;
  /** After a collection: what is really held. */
  readonly heapMiB: number;
  /** Open files, sockets and pipes, as the kernel counts them. */
  readonly descriptors: number;
  /** Timers, requests and sockets that keep the process's loop busy. */
  readonly resources: number;
}

const mebibyte = 2 ** 20;
const answerTimeoutMs = 60_000;

async function takeSample(): Promise<ProcessSample> {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    rssMiB: Math.round((rss / mebibyte) * 10) / 10,
    heapMiB: Math.round((heapUsed / mebibyte) * 10) / 10,
    // The folder that is being read is one of them.
    descriptors: (await readdir("/proc/self/fd")).length - 1,
    resources: process.getActiveResourcesInfo().length,
  };
}

/** In the child: answers whenever it is asked. */
export function answerSamples(): void {
  process.on("message", async (message: { readonly sample?: number }) => {
    if (message.sample !== undefined) process.send?.({ sample: message.sample, is: await takeSample() });
  });
}

export interface MeasuredProcess {
  readonly child: ChildProcess;
  /** @throws where it has ended or does not answer */
  sample(): Promise<ProcessSample>;
  /** Ends it; resolves with its exit code or signal. */
  stop(): Promise<string>;
}

/** @param first its first message: what it is to do */
export function startMeasured(script: URL, first: object): MeasuredProcess {
  const child = fork(script, { execArgv: ["--expose-gc"], serialization: "advanced" });
  child.setMaxListeners(50);
  child.send(first);
  const ended = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(`${signal ?? code}`)));
  let asked = 0;
  const sample = () => {
    const number = ++asked;
    return new Promise<ProcessSample>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${script.pathname} ${why}`));
      const timer = setTimeout(() => fail(`has not answered for ${answerTimeoutMs} ms`), answerTimeoutMs);
      const onMessage = (message: { readonly sample?: number; readonly is?: ProcessSample }) => {
        if (message.sample !== number || message.is === undefined) return;
        clearTimeout(timer);
        child.off("message", onMessage);
        resolve(message.is);
      };
      child.on("message", onMessage);
      if (child.connected) child.send({ sample: number });
      else fail(`has ended with ${child.signalCode ?? child.exitCode}`);
      void ended.then((how) => fail(`ended with ${how}`));
    });
  };
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const how = await ended;
    clearTimeout(late);
    return how;
  };
  return { child, sample, stop };
}
