/**
 * Memory and CPU limits of containers through the kernel's control groups, version 2 or 1, where this process may write
 * them; elsewhere nothing is limited, and the node and the container statuses say so. Synchronous, since a process must
 * be under its limits before it does anything. Effects: folders under /sys/fs/cgroup, removed with their containers.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourceList } from "./core-types.ts";
import { parseMilli } from "./quantity.ts";

export type LimitedResource = "cpu" | "memory";

export interface ContainerCgroup {
  /** What is limited indeed. */
  readonly applied: readonly LimitedResource[];
  add(pid: number): void;
  /** How many of its processes the kernel has killed for want of memory. */
  countOomKills(): number;
  remove(): void;
}

export interface Cgroups {
  /** Empty where the host does not allow it. */
  readonly limits: readonly LimitedResource[];
  /** `undefined` when there is nothing to limit. */
  create(name: string, limits: ResourceList | undefined): ContainerCgroup | undefined;
  close(): void;
}

/** The file interface of one version of the kernel's. */
interface Hierarchy {
  readonly resource: LimitedResource;
  readonly folder: string;
  /** Makes the folder under which containers get theirs. */
  open(): void;
  /** File and text that set a limit. */
  format(milli: bigint): readonly (readonly [file: string, text: string])[];
  readonly oomFile?: string;
}

const periodUs = 100_000n;
/** The least that the kernel takes. */
const minQuotaUs = 1_000n;
const cpuQuota = (milli: bigint) => {
  const quota = (milli * periodUs) / 1000n;
  return quota < minQuotaUs ? minQuotaUs : quota;
};

/** @param root where the kernel's file system is mounted; @param owner tells this kubelet's groups from others' */
export function openCgroups(owner: string, root = "/sys/fs/cgroup"): Cgroups {
  const name = `inferium-${createHash("sha256").update(owner).digest("hex").slice(0, 12)}`;
  const hierarchies = existsSync(join(root, "cgroup.controllers"))
    ? openVersion2(join(root, name), root)
    : openVersion1(name, root);
  return {
    limits: hierarchies.map((one) => one.resource),
    create: (container, limits) => createGroup(hierarchies, container, limits ?? {}),
    close: () => {
      for (const folder of new Set(hierarchies.map((one) => one.folder))) removeTree(folder);
    },
  };
}

function openVersion2(folder: string, root: string): readonly Hierarchy[] {
  const open = () => {
    writeFileSync(join(root, "cgroup.subtree_control"), "+cpu +memory");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cgroup.subtree_control"), "+cpu +memory");
  };
  const all: readonly Hierarchy[] = [
    { resource: "cpu", folder, open, format: (milli) => [["cpu.max", `${cpuQuota(milli)} ${periodUs}`]] },
    {
      resource: "memory",
      folder,
      open,
      // A container is killed as a whole, and does not escape into swap.
      format: (milli) => [
        ["memory.max", String(milli / 1000n)],
        ["memory.swap.max", "0"],
        ["memory.oom.group", "1"],
      ],
      oomFile: "memory.events",
    },
  ];
  return all.filter(canOpen);
}

function openVersion1(name: string, root: string): readonly Hierarchy[] {
  const place = (resource: LimitedResource) => {
    const folder = join(root, resource, name);
    return { resource, folder, open: () => void mkdirSync(folder, { recursive: true }) };
  };
  const all: readonly Hierarchy[] = [
    { ...place("cpu"), format: (milli) => [["cpu.cfs_quota_us", String(cpuQuota(milli))]] },
    {
      ...place("memory"),
      format: (milli) => [
        ["memory.limit_in_bytes", String(milli / 1000n)],
        ["memory.memsw.limit_in_bytes", String(milli / 1000n)],
      ],
      oomFile: "memory.oom_control",
    },
  ];
  return all.filter((one) => existsSync(join(one.folder, "..", "cgroup.procs")) && canOpen(one));
}

/** Tries, and leaves nothing: the folder is made again for the first container with limits. */
function canOpen({ folder, open }: Hierarchy): boolean {
  removeTree(folder);
  const isOpen = attempt(open);
  removeTree(folder);
  return isOpen;
}

function createGroup(
  hierarchies: readonly Hierarchy[],
  container: string,
  limits: ResourceList,
): ContainerCgroup | undefined {
  const limited = hierarchies.flatMap((one) => {
    const limit = limits[one.resource];
    const folder = join(one.folder, container);
    return limit !== undefined && applyLimit(one, folder, parseMilli(limit)) ? [{ ...one, folder }] : [];
  });
  if (limited.length === 0) return undefined;
  const oomFile = limited.flatMap((one) => (one.oomFile === undefined ? [] : join(one.folder, one.oomFile)))[0];
  const folders = [...new Set(limited.map((one) => one.folder))];
  return {
    applied: limited.map((one) => one.resource),
    add: (pid) => {
      // A process that has ended already needs no limit.
      for (const folder of folders) attempt(() => writeFileSync(join(folder, "cgroup.procs"), String(pid)));
    },
    countOomKills: () => (oomFile === undefined ? 0 : readOomKills(oomFile)),
    remove: () => {
      for (const folder of folders) removeTree(folder);
    },
  };
}

/** Files that a host lacks (swap accounting) are left out; the first is the limit itself. */
function applyLimit(hierarchy: Hierarchy, folder: string, milli: bigint): boolean {
  const [first, ...rest] = hierarchy.format(milli);
  const isLimited = attempt(() => {
    hierarchy.open();
    mkdirSync(folder, { recursive: true });
    if (first !== undefined) writeFileSync(join(folder, first[0]), first[1]);
  });
  if (isLimited) for (const [file, text] of rest) attempt(() => writeFileSync(join(folder, file), text));
  return isLimited;
}

function readOomKills(file: string): number {
  let text = "";
  attempt(() => {
    text = readFileSync(file, "utf8");
  });
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Only folders can be removed there; those with processes in them stay until a later call. */
function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  attempt(() => rmdirSync(folder));
}

/** Whether the kernel let us. A refusal is an answer here, not a fault. */
function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
