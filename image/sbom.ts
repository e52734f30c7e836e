/**
 * What an image consists of, as CycloneDX 1.6, from its files: the packages in its node_modules and those that the bundle took in, with
 * the digests of package-lock.json; Debian's packages by their records; Node; and the digest of every binary. Called by build.ts, on the
 * unpacked image, not on what was meant to be in it. Effects: reads those files.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface Component {
  readonly type: "library" | "application" | "file";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly { readonly expression: string }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly components: readonly Component[];
  readonly [field: string]: unknown;
}

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface SbomSubject {
  readonly name: string;
  readonly version: string;
  /** sha256:... of the image's manifest. */
  readonly digest: string;
  readonly createdAt: Date;
}

type Lock = Readonly<Record<string, LockedPackage>>;

/** @param root folder with the image's files @param lockPath the package-lock.json that it was built from */
export function buildSbom(root: string, lockPath: string, subject: SbomSubject): Sbom {
  const lock: Lock = JSON.parse(readFileSync(lockPath, "utf8")).packages;
  const folders = new Set([...readBundled(root), ...findInstalled(root), "node_modules/node"]);
  const packages = [...folders].sort();
  const components = [
    ...packages.map((folder) => npmComponent(folder, lock, root)),
    ...readDebianPackages(root),
    ...findBinaries(root).map((path) => fileComponent(root, path)),
  ];
  const image = `pkg:oci/${subject.name}@${encodeURIComponent(subject.digest)}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: subject.createdAt.toISOString(),
      component: { type: "container", "bom-ref": image, name: subject.name, version: subject.version, purl: image },
    },
    components,
    dependencies: [
      { ref: image, dependsOn: components.map((one) => one["bom-ref"]) },
      ...packages.map((folder) => ({ ref: folder, dependsOn: findDependencies(folder, lock, folders) })),
    ],
  };
}

function readBundled(root: string): string[] {
  return JSON.parse(readFileSync(join(root, "app/dist/packages.json"), "utf8"));
}

/** Folders below app/ whose package.json has a name and a version; those inside packages only say how files are read. */
function findInstalled(root: string): string[] {
  const app = join(root, "app");
  return readdirSync(join(app, "node_modules"), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.name === "package.json")
    .map((entry) => relative(app, entry.parentPath))
    .filter((folder) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(folder));
}

function npmComponent(folder: string, lock: Lock, root: string): Component {
  const locked = lock[folder];
  if (locked === undefined) throw new Error(`${folder} is in the image but not in package-lock.json`);
  const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  const [algorithm = "", digest = ""] = locked.integrity?.split("-") ?? [];
  const isNode = folder === "node_modules/node";
  return {
    type: isNode ? "application" : "library",
    "bom-ref": folder,
    ...{ name, version: locked.version },
    purl: isNode ? `pkg:generic/node@${locked.version}` : `pkg:npm/${name.replace("@", "%40")}@${locked.version}`,
    ...(locked.license === undefined ? {} : { licenses: [{ expression: locked.license }] }),
    // Of Node, npm's package is only what brings the binary.
    hashes: isNode
      ? [hashFile(join(root, "usr/local/bin/node"))]
      : [{ alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") }],
  };
}

/** As Node resolves them: from the package's own folder upwards. Those that are not in the image are not needed at run time. */
function findDependencies(folder: string, lock: Lock, present: ReadonlySet<string>): string[] {
  return Object.keys(lock[folder]?.dependencies ?? {}).flatMap((name) => {
    for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
      const candidate = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
      if (lock[candidate] !== undefined) return present.has(candidate) ? [candidate] : [];
      if (at === "") return [];
      if (!at.includes("/node_modules/")) at = "/node_modules/";
    }
  });
}

function readDebianPackages(root: string): Component[] {
  const records = join(root, "var/lib/dpkg/status.d");
  if (!existsSync(records)) return [];
  return readdirSync(records)
    .sort()
    .map((file) => {
      const text = readFileSync(join(records, file), "utf8");
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
      const [name, version] = [field("Package"), field("Version")];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${field("Architecture")}&distro=debian-12`;
      return { type: "library", "bom-ref": purl, ...{ name, version, purl } };
    });
}

/** Every file that the processor runs. */
function findBinaries(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\.(node|wasm|so[.\d]*)$/.test(path))
    .map((path) => relative(root, path))
    .sort();
}

function fileComponent(root: string, path: string): Component {
  return { type: "file", "bom-ref": `file:/${path}`, name: `/${path}`, hashes: [hashFile(join(root, path))] };
}

function hashFile(path: string): { alg: string; content: string } {
  return { alg: "SHA-256", content: createHash("sha256").update(readFileSync(path)).digest("hex") };
}
