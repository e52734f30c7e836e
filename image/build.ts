/**
 * `npm run image [-- --tag NAME:TAG --base IMAGE --build-base IMAGE --cuda 12 --output FOLDER]`: builds the image by podman or docker, says
 * how large it is, and writes its bill of materials (sbom.cdx.json) and its provenance (provenance.intoto.json) to the folder. A registry
 * and its authority that npm is configured with go into the build as secrets, so that they end in no layer. Effects: those, and the image.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Engine, findEngine, unpackImage } from "./engine.ts";
import { buildProvenance, type Material } from "./provenance.ts";
import { buildSbom } from "./sbom.ts";

const root = join(import.meta.dirname, "..");
const { values: flags } = parseArgs({
  options: {
    tag: { type: "string", default: `localhost/inferium:${readVersion()}` },
    base: { type: "string" },
    "build-base": { type: "string" },
    cuda: { type: "string" },
    output: { type: "string", default: join(root, ".inferium/image") },
  },
});
const buildArguments = Object.fromEntries(
  Object.entries({ BASE: flags.base, BUILD_BASE: flags["build-base"], CUDA: flags.cuda }).filter(([, value]) => value),
) as Record<string, string>;

const work = mkdtempSync(join(tmpdir(), "inferium-image-"));
try {
  const startedAt = new Date();
  const engine = findEngine();
  build(engine);
  const [image] = JSON.parse(engine.run(["image", "inspect", flags.tag])) as [
    { Id: string; Digest?: string; Size: number },
  ];
  // An image that was never pushed has no digest of a manifest in docker; then that of its configuration stands for it.
  const digest = (image.Digest ?? image.Id).replace("sha256:", "");
  const unpacked = join(work, "root");
  unpackImage(engine, flags.tag, unpacked);
  const finishedAt = new Date();
  const subject = { name: "inferium", version: readVersion(), digest: `sha256:${digest}`, createdAt: finishedAt };
  const sbom = buildSbom(unpacked, join(root, "package-lock.json"), subject);
  const provenance = buildProvenance({
    ...{ name: flags.tag, digest, arguments: buildArguments, engine, startedAt, finishedAt },
    ...{ materials: listMaterials(engine), isClean: git("status", "--porcelain") === "" },
  });
  mkdirSync(flags.output, { recursive: true });
  write("sbom.cdx.json", sbom);
  write("provenance.intoto.json", provenance);
  console.log(
    `${flags.tag} sha256:${digest}: ${(image.Size / 1e6).toFixed(0)} MB, ${sbom.components.length} components`,
  );
  console.log(`${flags.output}: sbom.cdx.json, provenance.intoto.json`);
} catch (error) {
  console.error(`The image could not be built: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function build(engine: Engine): void {
  const npmrc = join(work, "npmrc");
  const registry = execFileSync("npm", ["config", "get", "registry"], { cwd: root, encoding: "utf8" }).trim();
  writeFileSync(npmrc, `registry=${registry}\n`);
  const ca = process.env.NODE_EXTRA_CA_CERTS;
  const secrets = [`id=npmrc,src=${npmrc}`, ...(ca !== undefined && existsSync(ca) ? [`id=ca,src=${ca}`] : [])];
  const options = [
    ...["--tag", flags.tag, "--network", "host"],
    ...secrets.flatMap((secret) => ["--secret", secret]),
    ...Object.entries(buildArguments).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    // Where this process is confined itself, a container of its own may be out of reach; the build needs none.
    ...(engine.name === "podman" ? ["--isolation", "chroot"] : []),
  ];
  engine.run(["build", ...options, root], { timeoutMs: 3_600_000, quiet: false });
}

function listMaterials(engine: Engine): Material[] {
  const commit = git("rev-parse", "HEAD");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const bases = readBases().flatMap((base) => {
    const [found] = JSON.parse(engine.run(["image", "inspect", base])) as [{ Id: string; Digest?: string }];
    return { uri: `docker://${base}`, digest: { sha256: (found.Digest ?? found.Id).replace("sha256:", "") } };
  });
  return [
    { uri: "git+https://github.com/inferium/inferium", digest: { gitCommit: commit } },
    { uri: "file:package-lock.json", digest: { sha256: lock } },
    ...bases,
  ];
}

/** The arguments' values, or what the Dockerfile takes without them; `scratch` is nothing. */
function readBases(): string[] {
  const defaults = [...readFileSync(join(root, "Dockerfile"), "utf8").matchAll(/^ARG (BUILD_BASE|BASE)=(\S+)$/gm)];
  const bases = defaults.map(([, name = "", value = ""]) => buildArguments[name] ?? value);
  return [...new Set(bases)].filter((base) => base !== "scratch");
}

function readVersion(): string {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

function write(name: string, content: unknown): void {
  writeFileSync(join(flags.output, name), `${JSON.stringify(content, null, 2)}\n`);
}
