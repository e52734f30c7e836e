/**
 * A small shell process that outlives the kubelet by a moment. It holds the read end of a pipe whose write end only the
 * kubelet has: when the kubelet dies, even by SIGKILL, the kernel closes the pipe and the watchdog kills every process
 * group in the ledger, then every process that carries the kubelet's variable. A shell, as it costs 1 MB where Node
 * costs 40. Its own session, so that Ctrl-C in a terminal does not end it first.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { groupsDirectory, rootVariable } from "./group-ledger.ts";

/** For any POSIX shell (dash's `kill` knows no `--`). $1: the ledger's directory. $2: NAME=value of the inherited variable. Field 22 of /proc/PID/stat is the start time. */
const script = `
trap '' INT TERM HUP QUIT
while read -r _; do :; done
for file in "$1"/*; do
  pid=\${file##*/}
  read -r recorded < "$file" || continue
  read -r stat < "/proc/$pid/stat" || continue
  started=$(echo "\${stat##*) }" | cut -d' ' -f20)
  [ "$started" = "$recorded" ] && kill -KILL "-$pid"
done 2>/dev/null
for file in $(grep -slzxF "$2" /proc/[0-9]*/environ); do
  pid=\${file#/proc/}
  kill -KILL "\${pid%/environ}"
done 2>/dev/null
exit 0
`;

const restartDelayMs = 1_000;
const stopTimeoutMs = 5_000;

export interface Watchdog {
  /** Lets it sweep and end. Call when every group has been stopped. */
  stop(): Promise<void>;
}

export interface WatchdogOptions {
  readonly rootDir: string;
  readonly path: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const stopping = new AbortController();
  let child = await spawnWatchdog(options);
  const restart = async () => {
    for (;;) {
      await once(child, "exit");
      if (stopping.signal.aborted) return;
      options.logger.warn("kubelet watchdog ended; starting another", { rootDir: options.rootDir });
      await options.clock.sleep(restartDelayMs, stopping.signal);
      child = await spawnWatchdog(options);
    }
  };
  const supervising = restart().catch((error: unknown) => {
    if (!stopping.signal.aborted) options.logger.error("kubelet watchdog cannot be started", { error });
  });
  return {
    stop: async () => {
      stopping.abort(new Error("watchdog stopped"));
      child.stdin?.end();
      // A timer that is left behind would keep the whole process from ending.
      const timer = new AbortController();
      const late = options.clock.sleep(stopTimeoutMs, timer.signal).catch(() => undefined);
      await Promise.race([supervising, late]);
      timer.abort(new Error("the watchdog ended"));
    },
  };
}

async function spawnWatchdog(options: WatchdogOptions): Promise<ChildProcess> {
  const args = [
    "-c",
    script,
    "inferium-watchdog",
    groupsDirectory(options.rootDir),
    `${rootVariable}=${options.rootDir}`,
  ];
  const child = spawn("/bin/sh", args, {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: options.path },
  });
  child.stdin?.on("error", () => options.logger.debug("kubelet watchdog closed its input"));
  await once(child, "spawn");
  return child;
}
