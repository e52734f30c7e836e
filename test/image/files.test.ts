/** What is in the image, and what is not; and that its records tell the truth. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unpackImage } from "../../image/engine.ts";
import type { Component, Sbom } from "../../image/sbom.ts";
import { image, records, theEngine, whyNot } from "./container.ts";

if (image === undefined) console.log(`skipped: ${whyNot}`);

interface File {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly isFile: boolean;
  readonly size: number;
}

/** For a machine of one's own; more than this is not noticed by who pulls it. */
const mostMegabytes = 200;

const unwanted: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["tests", /(^|\/)(tests?|__tests__|spec)\/|\.(test|spec)\.[cm]?[jt]s$/],
  ["sources and source maps", /\.(map|[cm]?ts|tsx|sol|circom)$/],
  ["documents of packages", /(^|\/)(readme|changelog|history|contributing)[^/]*$/i],
  ["binaries of other systems", /\.(dll|dylib|exe|lib|pdb)$|(^|\/)(darwin|win32)\//],
  ["binaries that GPUs need, in the image for CPUs", /providers_(cuda|tensorrt)/],
  ["shells", /(^|\/)(ba|da|z|k|c|tc|fi)?sh$|busybox|toybox/],
  ["package managers", /(^|\/)(npm|npx|corepack|yarn|pnpm|apt|apt-get|apk|dnf|yum|rpm|dpkg|pip3?)(-[a-z]+)?$/],
  ["tools that fetch or change accounts", /(^|\/)(curl|wget|nc|ssh|su|sudo|mount|passwd|chsh)$(?<!etc\/passwd)/],
  [
    "keys and configuration of who built it",
    /\.(pem|key|p12|pfx|npmrc|netrc)$|(^|\/)(id_[a-z0-9]+|\.git|\.env[^/]*|\.docker)(\/|$)/,
  ],
  ["caches and logs", /(^|\/)(\.cache|\.npm|_cacache|var\/log)\/|\.log$/],
];

describe.skipIf(image === undefined)("files of the image", () => {
  const folder = mkdtempSync(join(tmpdir(), "inferium-image-files-"));
  let files: File[] = [];

  beforeAll(() => {
    unpackImage(theEngine(), image ?? "", folder);
    files = readdirSync(folder, { withFileTypes: true, recursive: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, uid, size } = lstatSync(path);
      return { path: relative(folder, path), mode, uid, isFile: entry.isFile(), size };
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(unwanted)("hold no %s", (_, pattern) => {
    const found = files.filter(({ path, isFile }) => isFile && pattern.test(path));
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  test("are few, and their size is said", () => {
    const megabytes = files.reduce((sum, { isFile, size }) => sum + (isFile ? size : 0), 0) / 1e6;
    console.log(`${image}: ${files.filter(({ isFile }) => isFile).length} files, ${megabytes.toFixed(1)} MB unpacked`);
    expect(megabytes).toBeLessThan(mostMegabytes);
  });

  test("belong to root, give nobody more rights than he has, and cannot be changed by the account that the roles run as", () => {
    const regular = files.filter(({ isFile }) => isFile);
    expect(files.filter(({ path, uid }) => uid !== 0 && !isOfEngine(path))).toEqual([]);
    expect(regular.filter(({ mode }) => (mode & 0o6000) !== 0)).toEqual([]);
    expect(regular.filter(({ path, mode }) => (mode & 0o022) !== 0 && !isOfEngine(path))).toEqual([]);
  });

  test("hold one program and the libraries that it needs, and nothing else that the processor runs", () => {
    const programs = files.filter(({ path, isFile }) => isFile && readMagic(join(folder, path)) === "7f454c46");
    const names = programs.map(({ path }) => path).filter((path) => !/\.(node|so[.\d]*)$/.test(path));
    expect(names).toEqual(["usr/local/bin/node"]);
    expect(programs.map(({ path }) => path)).toContainEqual(expect.stringMatching(/libonnxruntime\.so\.1$/));
  });

  test("hold no text that looks like a key, and no registry that the build went through", () => {
    const texts = files.filter(
      ({ path, isFile, size }) => isFile && size < 2 ** 22 && !/\.(node|so[.\d]*|wasm)$/.test(path),
    );
    const found = texts.filter(({ path }) =>
      /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}|_authToken|\/\/registry\.[a-z.]+\/:_/.test(
        readFileSync(join(folder, path), "latin1"),
      ),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  describe.skipIf(records === undefined || !existsSync(join(records ?? "", "sbom.cdx.json")))(
    "and their records",
    () => {
      const read = (name: string) => JSON.parse(readFileSync(join(records ?? "", name), "utf8"));
      const versionOf = (components: readonly Component[], name: string) =>
        components.find((one) => one.name === name)?.version;

      test("the bill of materials names every package and the digest of every binary", () => {
        const { components, dependencies }: Sbom & { dependencies?: { ref: string; dependsOn: string[] }[] } =
          read("sbom.cdx.json");
        const names = new Set(components.map((one) => one.name));
        for (const { path } of files.filter(({ path }) => path.startsWith("app/node_modules/"))) {
          const [, name = ""] = /^.*node_modules\/((?:@[^/]+\/)?[^/@]+)(\/|$)/.exec(path) ?? [];
          if (name !== "") expect(names).toContain(name);
        }
        for (const name of ["undici", "ethers", "snarkjs", "onnxruntime-node", "libc6", "libstdc++6"])
          expect(names).toContain(name);
        expect(versionOf(components, "node")).toBe(process.versions.node);
        const binaries = files.filter(({ path, isFile }) => isFile && /\.(node|wasm|so[.\d]*)$/.test(path));
        expect(binaries.length).toBeGreaterThan(5);
        for (const { path } of binaries) {
          const [hash] = components.find((one) => one.name === `/${path}`)?.hashes ?? [];
          expect(hash?.content, path).toBe(
            createHash("sha256")
              .update(readFileSync(join(folder, path)))
              .digest("hex"),
          );
        }
        const refs = components.map((one) => one["bom-ref"]);
        expect(new Set(refs).size).toBe(refs.length);
        for (const { dependsOn } of dependencies ?? []) for (const ref of dependsOn) expect(refs).toContain(ref);
        for (const { type, name, hashes, purl } of components)
          expect([
            name,
            type === "file" || purl !== undefined,
            hashes?.every(({ content }) => /^[0-9a-f]{40,}$/.test(content)) ?? true,
          ]).toEqual([name, true, true]);
      });

      test("the provenance names this image, the commit, the lock file and what it was built on", () => {
        const statement = read("provenance.intoto.json");
        const [{ Digest: digest }] = JSON.parse(theEngine().run(["image", "inspect", image ?? ""]));
        expect(statement.subject).toEqual([{ name: image, digest: { sha256: digest.replace("sha256:", "") } }]);
        const materials: { uri: string; digest: Record<string, string> }[] =
          statement.predicate.buildDefinition.resolvedDependencies;
        const lock = createHash("sha256")
          .update(readFileSync(new URL("../../package-lock.json", import.meta.url)))
          .digest("hex");
        expect(materials).toContainEqual({ uri: "file:package-lock.json", digest: { sha256: lock } });
        expect(materials[0]?.digest.gitCommit).toMatch(/^[0-9a-f]{40}$/);
        expect(materials.filter(({ uri }) => uri.startsWith("docker://"))).toHaveLength(1);
      });
    },
  );

  /** What the engine itself puts into every container. */
  function isOfEngine(path: string): boolean {
    return /^(dev|proc|sys|run|etc\/(hosts|hostname|resolv\.conf|mtab))(\/|$)/.test(path);
  }
});

function readMagic(path: string): string {
  return readFileSync(path).subarray(0, 4).toString("hex");
}
