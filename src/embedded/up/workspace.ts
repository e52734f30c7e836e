/**
 * The folder of one embedded run: its kubeconfig, the pods' files, the chain's state. One run owns it at a time; what an
 * earlier run left is removed, so that a second start is clean.
 */
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describeError, InferiumError } from "../../base/errors.ts";

export interface Workspace {
  readonly dir: string;
  readonly kubeconfigPath: string;
  readonly kubeletDir: string;
  readonly chainDir: string;
  /** Proving keys. */
  readonly proofsDir: string;
  /** Gives the folder free for the next run; keeps logs. */
  release(): Promise<void>;
}

/** @throws InferiumError WorkspaceNotWritable, WorkspaceInUse */
export async function openWorkspace(path: string): Promise<Workspace> {
  const dir = resolve(path);
  const lockPath = join(dir, "up.pid");
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, ".write-test"), "");
    await rm(join(dir, ".write-test"));
  } catch (error) {
    const message = `Cannot write to the folder ${dir} (${describeError(error)}). Give another one with --dir.`;
    throw new InferiumError("WorkspaceNotWritable", message, { disposition: "fatal", cause: error });
  }
  await takeLock(lockPath, dir);
  const workspace = {
    dir,
    kubeconfigPath: join(dir, "kubeconfig"),
    kubeletDir: join(dir, "kubelet"),
    chainDir: join(dir, "chain"),
    proofsDir: join(dir, "proofs"),
    release: () => rm(lockPath, { force: true }),
  };
  await rm(workspace.chainDir, { recursive: true, force: true });
  await rm(workspace.proofsDir, { recursive: true, force: true });
  await mkdir(workspace.kubeletDir, { recursive: true });
  await mkdir(workspace.chainDir, { recursive: true });
  return workspace;
}

/** The lock names a process and when it started, so that a reused pid is not taken for a run that still lives. */
async function takeLock(lockPath: string, dir: string): Promise<void> {
  const holder = await readFile(lockPath, "utf8").catch(() => "");
  const [pid = "", startedAt = ""] = holder.trim().split(" ");
  if (pid !== "" && (await readStartTime(pid)) === startedAt && startedAt !== "") {
    const message = `Another run uses ${dir} (process ${pid}). Stop it, or give another folder with --dir.`;
    throw new InferiumError("WorkspaceInUse", message, { disposition: "fatal" });
  }
  await rm(lockPath, { force: true });
  const file = await open(lockPath, "wx", 0o600);
  await file.writeFile(`${process.pid} ${await readStartTime(String(process.pid))}\n`);
  await file.close();
}

/** Clock ticks since boot at which the process started; empty where there is no such process. */
async function readStartTime(pid: string): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
