/**
 * The embedded API server in a process of its own, so that a benchmark's client does not share its CPU: forked by
 * `apiserver.ts` with a data directory or none. Says where it listens; answers `memory` with its live bytes and `cpu` with
 * the microseconds of CPU that it has used.
 */
import { silentLogger } from "../../src/base/log.ts";
import { startApiServer } from "../../src/embedded/apiserver/server.ts";

export interface BenchServerAddress {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  /** From the start of the server to its first possible answer. */
  readonly startMs: number;
}

const [dataDir] = process.argv.slice(2);
const started = performance.now();
const server = await startApiServer({ logger: silentLogger, ...(dataDir ? { dataDir } : {}) });
const { url, caPem, adminToken } = server;
const address: BenchServerAddress = { url, caPem, adminToken, startMs: performance.now() - started };

process.on("message", (message) => {
  if (message === "memory") process.send?.({ bytes: liveBytes() });
  else if (message === "cpu") process.send?.(cpuUsed());
  else if (message === "close") void server.close().then(() => process.disconnect());
});
process.send?.(address);

function cpuUsed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function liveBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
