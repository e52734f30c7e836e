/** Against folders that look like the kernel's file system. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCgroups } from "../../../../src/embedded/kubelet/cgroups.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cgroups-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const limits = { cpu: "250m", memory: "64Mi", "nvidia.com/gpu": "1" };

describe("openCgroups", () => {
  it("writes the limits of version 2, and puts processes under them", () => {
    writeFileSync(join(root, "cgroup.controllers"), "cpu memory");
    const cgroups = openCgroups("me", root);
    expect(cgroups.limits).toEqual(["cpu", "memory"]);
    const group = cgroups.create("pod-main", limits);
    group?.add(4711);
    const [owner = ""] = readdirSync(root).filter((name) => name.startsWith("inferium-"));
    const read = (file: string) => readFileSync(join(root, owner, "pod-main", file), "utf8");
    expect(read("cpu.max")).toBe("25000 100000");
    expect(read("memory.max")).toBe(String(64 * 1024 * 1024));
    expect(read("memory.swap.max")).toBe("0");
    expect(read("cgroup.procs")).toBe("4711");
    writeFileSync(join(root, owner, "pod-main", "memory.events"), "oom 1\noom_kill 2\n");
    expect(group?.countOomKills()).toBe(2);
  });

  it("writes the limits of version 1 in both of its trees", () => {
    for (const tree of ["cpu", "memory"]) {
      mkdirSync(join(root, tree));
      writeFileSync(join(root, tree, "cgroup.procs"), "");
    }
    const group = openCgroups("me", root).create("pod-main", limits);
    expect(group?.applied).toEqual(["cpu", "memory"]);
    const [owner = ""] = readdirSync(join(root, "cpu")).filter((name) => name.startsWith("inferium-"));
    expect(readFileSync(join(root, "cpu", owner, "pod-main", "cpu.cfs_quota_us"), "utf8")).toBe("25000");
    const file = join(root, "memory", owner, "pod-main", "memory.limit_in_bytes");
    expect(readFileSync(file, "utf8")).toBe(String(64 * 1024 * 1024));
  });

  it("limits nothing, and says so, where there is nothing to write", () => {
    const cgroups = openCgroups("me", root);
    expect(cgroups.limits).toEqual([]);
    expect(cgroups.create("pod-main", limits)).toBeUndefined();
  });

  it("makes nothing for a container without limits", () => {
    writeFileSync(join(root, "cgroup.controllers"), "cpu memory");
    const cgroups = openCgroups("me", root);
    expect(cgroups.create("pod-main", undefined)).toBeUndefined();
    const owner = readdirSync(root).find((name) => name.startsWith("inferium-")) ?? "";
    expect(existsSync(join(root, owner, "pod-main"))).toBe(false);
  });
});
