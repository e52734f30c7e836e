/**
 * Operators as processes of a release: the bundle with a version of its own, in a folder of its own. Two releases made here
 * run the same code under two version strings, since there is one code; a release that was built from another commit can be
 * given as a folder (`INFERIUM_OLD_RELEASE`), which is what makes it an upgrade across a change.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Release {
  readonly folder: string;
  /** As its own command says. */
  readonly version: string;
}

/** @throws where the sources cannot be bundled */
export async function makeRelease(folder: string, version: string): Promise<Release> {
  const bundled = spawnSync(process.execPath, ["bundle.ts", "--if-changed"], { cwd: root, encoding: "utf8" });
  if (bundled.status !== 0) throw new Error(`the sources could not be bundled: ${bundled.stderr}`);
  await mkdir(join(folder, "contracts"), { recursive: true });
  await cp(join(root, "dist"), join(folder, "dist"), {
    recursive: true,
    filter: (path) => !path.endsWith("compile-cache"),
  });
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as object;
  await writeFile(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  await symlink(join(root, "contracts/artifacts"), join(folder, "contracts/artifacts"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return openRelease(folder);
}

export function openRelease(folder: string): Release {
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "dist/main.js"), "--version"], {
    encoding: "utf8",
  });
  if (stdout.trim() === "") throw new Error(`${folder} holds no release: ${stderr}`);
  return { folder, version: stdout.trim() };
}

export interface OperatorProcess {
  readonly version: string;
  /** Of the pool API while it leads. */
  poolUrl(): string | undefined;
  /** Its caches are filled, so that it can take over. */
  readonly ready: Promise<void>;
  /** @returns its exit code, or the signal that ended it */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<number | string>;
  recentLog(): string;
}

export function startOperatorProcess(release: Release, env: Readonly<Record<string, string>>): OperatorProcess {
  const child = spawn(process.execPath, [join(release.folder, "dist/main.js"), "operator"], {
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: release.folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let poolUrl: string | undefined;
  const ready = Promise.withResolvers<void>();
  onLines(child, (line) => {
    lines.push(line);
    if (lines.length > 200) lines.shift();
    if (line.includes('"informers synced"')) ready.resolve();
    if (line.includes('"operator leads"')) poolUrl = /"url":"([^"]+)"/.exec(line)?.[1];
  });
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? "an unknown end")),
  );
  const recentLog = () => lines.slice(-20).join("\n");
  void ended.then((how) => ready.reject(new Error(`an operator ended with ${how}:\n${recentLog()}`)));
  // Whoever waits for it hears of it; an operator that is stopped on purpose ends as well.
  ready.promise.catch(() => undefined);
  return {
    version: release.version,
    poolUrl: () => (child.exitCode === null && child.signalCode === null ? poolUrl : undefined),
    ready: ready.promise,
    recentLog,
    stop: async (signal) => {
      child.kill(signal);
      const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
      const how = await ended;
      clearTimeout(late);
      return how;
    },
  };
}

function onLines(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    });
  }
}
