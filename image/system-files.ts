/**
 * What the program needs of an operating system where the image has no base: the shared libraries that its binaries name, with the
 * record of the Debian packages that they come from (scanners read it), and the account that it runs as. Called by assemble.ts in the
 * build stage. Effects: writes into the root folder that it is given.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const account = 65532;

const accountFiles: Readonly<Record<string, string>> = {
  "etc/passwd": `root:x:0:0:root:/:/nologin\ninferium:x:${account}:${account}:inferium:/app:/nologin\n`,
  "etc/group": `root:x:0:\ninferium:x:${account}:\n`,
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/** Binaries are paths of this machine. The libraries come to where its loader looks. */
export function writeSystemFiles(root: string, binaries: readonly string[]): void {
  for (const folder of ["usr/lib", "usr/lib64", "etc", "var/lib/dpkg/status.d"])
    mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "tmp"), 0o1777);
  for (const name of ["lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
  // Debian's architecture folder is where the NVIDIA container runtime puts the driver's libraries, on what it takes for Debian.
  for (const name of ["etc/debian_version", "usr/lib/os-release"]) copy(`/${name}`, join(root, name));
  symlinkSync("../usr/lib/os-release", join(root, "etc/os-release"));
  for (const [path, text] of Object.entries(accountFiles)) writeFileSync(join(root, path), text);
  const libraries = new Set(["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"].flatMap(findLibrary));
  for (const binary of binaries) for (const library of listLibraries(binary)) libraries.add(library);
  const packages = new Set<string>();
  for (const library of libraries) {
    copy(realpathSync(library), join(root, inUsr(library)));
    packages.add(findPackage(library));
  }
  for (const name of packages) writePackageRecord(root, name);
}

function listLibraries(binary: string): string[] {
  const lines = execFileSync("ldd", [binary], { encoding: "utf8" }).split("\n");
  const missing = lines.filter((line) => line.includes("not found"));
  if (missing.length > 0) throw new Error(`${binary} needs libraries that the build base lacks:${missing.join()}`);
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []).filter((path) => !path.includes("node_modules"));
}

function findLibrary(name: string): string[] {
  const lines = execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.trim().startsWith(`${name} `)).flatMap((line) => line.split(" => ")[1] ?? []);
}

/** Debian's /lib is a link to /usr/lib; older records still have the short path. */
function inUsr(path: string): string {
  return path.startsWith("/usr/") ? path.slice(1) : join("usr", path);
}

function findPackage(library: string): string {
  const names = [library, realpathSync(library)].flatMap((path) => [
    path,
    path.replace(/^\/usr/, ""),
    `/${inUsr(path)}`,
  ]);
  for (const name of new Set(names)) {
    try {
      const owner = execFileSync("dpkg-query", ["--search", name], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      return owner.split(": ")[0] ?? "";
    } catch {
      // Not under this name; the next may be the one on record.
    }
  }
  throw new Error(`No Debian package holds ${library}; the build base must be Debian.`);
}

function writePackageRecord(root: string, name: string): void {
  const status = execFileSync("dpkg-query", ["--status", name], { encoding: "utf8" });
  const plain = name.replace(/:.*$/, "");
  writeFileSync(join(root, "var/lib/dpkg/status.d", plain), status);
  const license = `usr/share/doc/${plain}/copyright`;
  if (existsSync(`/${license}`)) copy(realpathSync(`/${license}`), join(root, license));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

export function isLibrary(path: string): boolean {
  return /\.(node|so(\.\d+)*)$/.test(basename(path));
}
