import { lstat, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Volume } from "../../../../src/embedded/kubelet/core-types.ts";
import { buildVolumeFiles, formatTokenKey } from "../../../../src/embedded/kubelet/volume-files.ts";
import { writeVolumeFiles } from "../../../../src/embedded/kubelet/volume-writer.ts";
import { aPod, facts, sourcesOf } from "./builders.ts";

const sources = sourcesOf({ conf: { a: "A", b: "B" } }, { keys: { k: "K" } });

function build(volume: Omit<Volume, "name">) {
  const tokens = new Map([[formatTokenKey({ audience: "x", expirationSeconds: 600 }), "jwt"]]);
  const pod = aPod({ containers: [{ name: "main", resources: { limits: { cpu: "2" } } }] }, { labels: { app: "x" } });
  const files = buildVolumeFiles({ name: "v", ...volume }, { pod, sources, facts, tokens });
  return files?.map((file) => `${file.path} ${file.mode.toString(8)} ${Buffer.from(file.data)}`);
}

describe("buildVolumeFiles", () => {
  const cases: { name: string; volume: Omit<Volume, "name">; want: string[] | undefined }[] = [
    { name: "a whole config map", volume: { configMap: { name: "conf" } }, want: ["a 644 A", "b 644 B"] },
    {
      name: "chosen keys with paths and modes",
      volume: {
        configMap: {
          name: "conf",
          defaultMode: 0o400,
          items: [
            { key: "a", path: "x/y" },
            { key: "b", path: "z", mode: 0o600 },
          ],
        },
      },
      want: ["x/y 400 A", "z 600 B"],
    },
    { name: "a secret", volume: { secret: { secretName: "keys" } }, want: ["k 644 K"] },
    {
      name: "an optional secret that is missing",
      volume: { secret: { secretName: "none", optional: true } },
      want: [],
    },
    {
      name: "the downward API",
      volume: {
        downwardAPI: {
          items: [
            { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
            { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" } },
          ],
        },
      },
      want: ['labels 644 app="x"', "cpu 644 2000"],
    },
    {
      name: "a projection of several sources, tokens for the owner alone",
      volume: {
        projected: {
          sources: [
            { configMap: { name: "conf", items: [{ key: "a", path: "a" }] } },
            { serviceAccountToken: { path: "token", audience: "x", expirationSeconds: 600 } },
          ],
        },
      },
      want: ["a 644 A", "token 600 jwt"],
    },
    { name: "an emptyDir", volume: { emptyDir: {} }, want: undefined },
  ];
  it.each(cases)("gives the files of $name", ({ volume, want }) => {
    expect(build(volume)).toEqual(want);
  });

  it.each([
    { name: "a missing secret", volume: { secret: { secretName: "none" } }, want: /secret "none" not found/ },
    {
      name: "a missing key",
      volume: { configMap: { name: "conf", items: [{ key: "x", path: "x" }] } },
      want: /non-existent key 'x'/,
    },
    {
      name: "a path out of the volume",
      volume: { configMap: { name: "conf", items: [{ key: "a", path: "../x" }] } },
      want: /leaves its volume/,
    },
  ])("refuses $name", ({ volume, want }) => {
    expect(() => build(volume)).toThrow(want);
  });
});

describe("writeVolumeFiles", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "volume-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const file = (path: string, text: string, mode = 0o644) => ({ path, data: Buffer.from(text), mode });

  it("writes nested files with their modes, reachable by their names", async () => {
    await writeVolumeFiles(directory, [file("a", "1"), file("d/e", "2", 0o400)], "v1");
    expect(await readFile(join(directory, "a"), "utf8")).toBe("1");
    expect(await readFile(join(directory, "d/e"), "utf8")).toBe("2");
    expect((await stat(join(directory, "d/e"))).mode & 0o777).toBe(0o400);
  });

  it("replaces all files at once through one link, and drops what is gone", async () => {
    await writeVolumeFiles(directory, [file("a", "1"), file("b", "1")], "v1");
    await writeVolumeFiles(directory, [file("a", "2"), file("c", "2")], "v2");
    expect((await readdir(directory)).sort()).toEqual(["..data", "..v2", "a", "c"]);
    expect(await readFile(join(directory, "a"), "utf8")).toBe("2");
    expect((await lstat(join(directory, "..data"))).isSymbolicLink()).toBe(true);
  });
});
