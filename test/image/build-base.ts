/**
 * A base to build on where no registry of images can be reached: Debian by debootstrap, with npm and the Node of this project's
 * dependencies. Called by run.ts. Effects: an image of podman's, kept for the next time.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../image/engine.ts";

const suite = "bookworm";
const tag = `localhost/inferium-build-base:${suite}-node${process.versions.node}`;

/** @throws Error where debootstrap is missing or may not run, which takes root */
export function makeBuildBase(engine: Engine): string {
  if (engine.run(["images", "--quiet", tag]).trim() !== "") return tag;
  if (spawnSync("debootstrap", ["--version"]).status !== 0)
    throw new Error("debootstrap, which makes the base to build on, is not installed (apt-get install debootstrap)");
  const work = mkdtempSync(join(tmpdir(), "inferium-build-base-"));
  try {
    const root = join(work, "root");
    console.log(`${tag} is made by debootstrap, once; this takes a minute or two`);
    execFileSync("debootstrap", ["--variant=minbase", suite, root, readMirror()], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    installNode(root);
    for (const folder of ["var/cache/apt/archives", "var/lib/apt/lists"])
      rmSync(join(root, folder), { recursive: true });
    const archive = join(work, "root.tar");
    execFileSync("tar", ["--create", "--file", archive, "--directory", root, "."]);
    engine.run(["import", archive, tag], { timeoutMs: 300_000 });
    return tag;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function installNode(root: string): void {
  const modules = join(root, "usr/local/lib/node_modules");
  mkdirSync(modules, { recursive: true });
  cpSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
  const npm = execFileSync("npm", ["root", "--global"], { encoding: "utf8" }).trim();
  cpSync(join(npm, "npm"), join(modules, "npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
}

/** Debian's mirror that this machine installs from. */
function readMirror(): string {
  const folder = "/etc/apt";
  const files = [
    `${folder}/sources.list`,
    ...readdirSync(`${folder}/sources.list.d`).map((name) => `${folder}/sources.list.d/${name}`),
  ];
  const texts = files.flatMap((file) => {
    try {
      return readFileSync(file, "utf8").split("\n");
    } catch {
      // sources.list itself is gone from newer systems.
      return [];
    }
  });
  const mirrors = texts.flatMap(
    (line) => /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\/\/\S+\/debian)\/?( |$)/.exec(line)?.[1] ?? [],
  );
  return mirrors[0] ?? "http://deb.debian.org/debian";
}
