/** podman or docker, which take the same commands as far as these scripts go. Called by build.ts and the tests. Effects: what the commands do. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { promisify } from "node:util";

export interface Engine {
  readonly name: "podman" | "docker";
  readonly version: string;
  /** @returns what it printed. @throws Error with what went wrong */
  run(args: readonly string[], options?: RunOptions): string;
  /** The same, while this process goes on. */
  runBeside(args: readonly string[], options?: Pick<RunOptions, "timeoutMs" | "both">): Promise<string>;
}

export interface RunOptions {
  readonly timeoutMs?: number;
  /** False: what it says goes on to the terminal. */
  readonly quiet?: boolean;
  /** Whether what it said on standard error is returned too, after the rest. */
  readonly both?: boolean;
}

/** The one that was asked for, or the first that is installed. @throws Error that says what to install */
export function findEngine(wanted = process.env.INFERIUM_CONTAINER_ENGINE): Engine {
  for (const name of ["podman", "docker"] as const) {
    if (wanted !== undefined && wanted !== name) continue;
    const { status, stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
    if (status === 0) return createEngine(name, /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "");
  }
  throw new Error(
    `${wanted ?? "Neither podman nor docker"} is not installed; on Debian: apt-get install podman buildah runc.`,
  );
}

function createEngine(name: Engine["name"], version: string): Engine {
  // podman 4 of Debian prefers crun; runc does as well, and is there with buildah.
  const hasCrun = name === "docker" || spawnSync("crun", ["--version"]).status === 0;
  const before = hasCrun ? [] : ["--runtime", "runc"];
  return {
    ...{ name, version },
    async runBeside(args, { timeoutMs = 120_000, both = false } = {}) {
      const options = { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
      const { stdout, stderr } = await promisify(execFile)(name, [...before, ...args], options);
      return both ? `${stdout}${stderr}` : stdout;
    },
    run(args, { timeoutMs = 120_000, quiet = true, both = false } = {}) {
      const { status, stdout, stderr, error } = spawnSync(name, [...before, ...args], {
        encoding: "utf8",
        timeout: timeoutMs,
        maxBuffer: 64 * 1024 * 1024,
        stdio: ["ignore", "pipe", quiet ? "pipe" : "inherit"],
      });
      if (status === 0) return both ? `${stdout}${stderr}` : stdout;
      const reason = error?.message ?? `it ended with ${status}: ${stderr ?? ""}`;
      throw new Error(`${name} ${args.slice(0, 3).join(" ")} ... failed: ${reason}`);
    },
  };
}

/** Its files, with their modes, in a folder: what is really in the image, whatever the Dockerfile says. */
export function unpackImage(engine: Engine, image: string, folder: string): void {
  const container = engine.run(["create", image]).trim();
  try {
    mkdirSync(folder, { recursive: true });
    const command = `${engine.name} export ${container} | tar --extract --preserve-permissions --same-owner --directory "$0"`;
    execFileSync("bash", ["-o", "pipefail", "-c", command, folder], {
      timeout: 300_000,
      stdio: ["ignore", "ignore", "pipe"],
    });
  } finally {
    engine.run(["rm", container]);
  }
}
