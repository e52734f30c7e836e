import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { type ArtifactStoreOptions, createArtifactStore } from "../../../src/inference/fetch-artifact.ts";
import { type ArtifactServer, startArtifactServer } from "./artifact-server.ts";

const content = Buffer.alloc(300_000, "inferium ");
const digest = sha256(content);
const second = Buffer.alloc(300_000, "second ");
const other = sha256("other");

let server: ArtifactServer;
let dir: string;

beforeAll(async () => {
  server = await startArtifactServer({
    "/ok": (_, response) => response.end(content),
    "/second": (_, response) => response.end(second),
    "/slow-but-alive": (_, response) => trickle(response, 20),
    "/stalls": (_, response) => void response.write(content.subarray(0, 1000)),
    "/silent": () => undefined,
    "/breaks": (_, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 1000), () => response.destroy());
    },
    "/flaky": (_, response, count) => (count < 3 ? response.writeHead(503).end() : response.end(content)),
    "/down": (_, response) => response.writeHead(500).end(),
    "/announced": (_, response) => response.writeHead(200, { "content-length": 10_000_000 }).flushHeaders(),
    "/unannounced": (_, response) => endless(response),
    "/moved": (_, response) => response.writeHead(302, { location: "/ok" }).end(),
    "/to-file": (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    "/to-ftp": (_, response) => response.writeHead(302, { location: "ftp://127.0.0.1/x" }).end(),
    "/to-elsewhere": (_, response) => response.writeHead(302, { location: "http://localhost:1/x" }).end(),
    "/to-metadata": (_, response) => response.writeHead(307, { location: "http://169.254.169.254/latest" }).end(),
    "/to-name": (_, response) => response.writeHead(301, { location: "http://inside.example/secret" }).end(),
    "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
    "/packed": (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(content)),
    "/partial": (_, response) => response.writeHead(206).end(content),
  });
});
afterAll(() => server.close());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-artifacts-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function trickle(response: NodeJS.WritableStream, parts: number): void {
  const size = Math.ceil(content.length / parts);
  let sent = 0;
  const timer = setInterval(() => {
    response.write(content.subarray(sent, sent + size));
    sent += size;
    if (sent < content.length) return;
    clearInterval(timer);
    response.end();
  }, 10);
}

function endless(response: NodeJS.WritableStream & { destroyed?: boolean }): void {
  const write = () => {
    while (response.destroyed !== true && response.write(content));
  };
  response.on("drain", write);
  write();
}

const aStore = (options: Partial<ArtifactStoreOptions> = {}) =>
  createArtifactStore({
    cacheDir: join(dir, "cache"),
    idleTimeoutMs: 300,
    allowedAddresses: ["127.0.0.1"],
    backoff: { initialMs: 5, maxMs: 10 },
    ...options,
  });
/** What names say where redirects lead to them. */
const names: Partial<ArtifactStoreOptions> = {
  httpHosts: ["127.0.0.1", "169.254.169.254", "inside.example"],
  resolve: (_, done) => done(null, [{ address: "169.254.169.254", family: 4 }]),
};
const at = (path: string) => ({ uri: `${server.url}${path}`, digest });
const cached = async () => (await readdir(join(dir, "cache")).catch(() => [])).sort();
const failure = (code: string, disposition = "reject") => expect.objectContaining({ code, disposition });

describe("fetching over HTTP", () => {
  it.each(["/ok", "/moved", "/flaky", "/slow-but-alive"])(
    "gets the artifact from a server that is %s",
    async (path) => {
      const artifact = await aStore().fetchArtifact(at(path));
      expect((await readFile(artifact.path)).equals(content)).toBe(true);
      expect(await cached()).toEqual([digest.replace(":", "-")]);
    },
  );

  it.each([
    { path: "/stalls", want: failure("Unavailable", "retry"), why: "goes silent in the middle" },
    { path: "/silent", want: failure("Unavailable", "retry"), why: "never answers" },
    { path: "/breaks", want: failure("Unavailable", "retry"), why: "closes the connection in the middle" },
    { path: "/down", want: failure("Unavailable", "retry"), why: "answers 500" },
    { path: "/missing", want: failure("NotFound"), why: "answers 404" },
    { path: "/partial", want: failure("NotFound"), why: "answers with a part" },
    { path: "/announced", want: failure("TooLarge"), why: "announces too much" },
    { path: "/unannounced", want: failure("TooLarge"), why: "sends without end" },
    { path: "/to-file", want: failure("NotAllowed"), why: "redirects to a file" },
    { path: "/to-ftp", want: failure("NotAllowed"), why: "redirects to another scheme" },
    { path: "/to-elsewhere", want: failure("NotAllowed"), why: "redirects to a host that is not allowed" },
    { path: "/to-metadata", want: failure("NotAllowed"), why: "redirects to an address inside" },
    { path: "/to-name", want: failure("NotAllowed"), why: "redirects to a name with an address inside" },
    { path: "/loop", want: failure("NotAllowed"), why: "redirects for ever" },
  ])("fails with a code, and leaves nothing behind, where the server $why", async ({ path, want }) => {
    const store = aStore({ maxArtifactBytes: 1_000_000, attempts: 2, ...names });
    await expect(store.fetchArtifact(at(path))).rejects.toEqual(want);
    expect(await cached()).toEqual([]);
  });

  it("reads from no address of this machine unless it is allowed, by whatever name or spelling", async () => {
    const store = aStore({
      allowedAddresses: [],
      resolve: (_, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
    });
    const { port } = new URL(server.url);
    const before = server.count("/ok");
    for (const host of ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:7f00:1]", "store.example"]) {
      const fetched = store.fetchArtifact({ uri: `http://${host}:${port}/ok`, digest });
      await expect(fetched, host).rejects.toEqual(failure("NotAllowed"));
    }
    expect(server.count("/ok")).toBe(before);
  });

  it("holds the address that it connects to against the policy, whatever the name said before", async () => {
    let asked = 0;
    const store = aStore({
      allowedAddresses: [],
      resolve: (_, done) => done(null, [{ address: asked++ === 0 ? "127.0.0.1" : "93.184.216.34", family: 4 }]),
      attempts: 1,
    });
    const { port } = new URL(server.url);
    const fetched = store.fetchArtifact({ uri: `http://rebinding.example:${port}/ok`, digest });
    await expect(fetched).rejects.toThrow(/leads to this machine/);
    expect(asked).toBe(1);
  });

  it("connects to the address that was allowed, by name", async () => {
    const store = aStore({ resolve: (_, done) => done(null, [{ address: "127.0.0.1", family: 4 }]) });
    const { port } = new URL(server.url);
    const fetched = store.fetchArtifact({ uri: `http://store.example:${port}/ok`, digest });
    await expect(fetched).resolves.toMatchObject({ digest });
  });

  it("ends a download for which nobody waits any more, and leaves nothing behind", async () => {
    const leaving = new AbortController();
    const store = aStore({ idleTimeoutMs: 60_000 });
    const fetched = store.fetchArtifact(at("/stalls"), leaving.signal);
    await expect.poll(cached).toEqual([expect.stringMatching(/^tmp-/)]);
    leaving.abort(new Error("deadline"));
    await expect(fetched).rejects.toThrow("deadline");
    await expect.poll(cached).toEqual([]);
  });

  it("does not unpack what a server has packed, though nobody asked for it packed", async () => {
    await expect(aStore().fetchArtifact(at("/packed"))).rejects.toEqual(failure("DigestMismatch"));
  });

  it("tries again only what may pass", async () => {
    await expect(aStore({ attempts: 4 }).fetchArtifact(at("/down?retried"))).rejects.toEqual(failure("NotFound"));
    await expect(aStore({ attempts: 4 }).fetchArtifact(at("/down"))).rejects.toEqual(failure("Unavailable", "retry"));
    expect(server.count("/down?retried")).toBe(1);
    expect(server.count("/down")).toBeGreaterThanOrEqual(4);
  });

  it("refuses bytes that are not the digest's, and keeps none of them", async () => {
    const wrong = aStore().fetchArtifact({ ...at("/ok"), digest: other });
    await expect(wrong).rejects.toEqual(failure("DigestMismatch"));
    await expect(wrong).rejects.toThrow(new RegExp(`${digest}.*${other}`));
    expect(await cached()).toEqual([]);
  });

  it("ends a download that takes too long in all, though it never goes silent", async () => {
    const store = aStore({ timeoutMs: 60, attempts: 1 });
    await expect(store.fetchArtifact(at("/slow-but-alive"))).rejects.toEqual(failure("Unavailable", "retry"));
  });

  it("downloads once for requests that come together, and not at all for those that follow", async () => {
    const store = aStore();
    const before = server.count("/slow-but-alive");
    await Promise.all(Array.from({ length: 5 }, () => store.fetchArtifact(at("/slow-but-alive"))));
    await store.fetchArtifact(at("/slow-but-alive"));
    expect(server.count("/slow-but-alive") - before).toBe(1);
  });

  it("does not let one task's bad URI fail another task's good one for the same digest", async () => {
    const store = aStore({ attempts: 1 });
    const [bad, good] = await Promise.allSettled([store.fetchArtifact(at("/down")), store.fetchArtifact(at("/ok"))]);
    expect([bad.status, good.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("stops one caller's wait when it aborts, and finishes the download for the other", async () => {
    const store = aStore();
    const aborted = store.fetchArtifact(at("/slow-but-alive"), AbortSignal.abort(new Error("deadline")));
    const waiting = store.fetchArtifact(at("/slow-but-alive"));
    await expect(aborted).rejects.toThrow("deadline");
    await expect(waiting).resolves.toMatchObject({ digest });
  });
});

describe("fetching from files", () => {
  beforeEach(async () => {
    await mkdir(join(dir, "models"));
    await writeFile(join(dir, "models", "m"), content);
    await writeFile(join(dir, "secret"), content);
  });

  const models = () => aStore({ fileRoots: [join(dir, "models")] });
  const file = (...parts: string[]) => ({ uri: pathToFileURL(join(dir, ...parts)).href, digest });

  it("gets a file under an allowed folder", async () => {
    expect(sha256(await models().readArtifact(file("models", "m")))).toBe(digest);
  });

  it.each([
    { what: "a file elsewhere", make: () => file("secret"), code: "NotAllowed" },
    { what: "a folder", make: () => file("models", "folder"), code: "NotAllowed" },
    { what: "a link that leads out", make: () => file("models", "link"), code: "NotAllowed" },
    { what: "a named pipe, which would wait for ever", make: () => file("models", "pipe"), code: "NotAllowed" },
    { what: "a file that is not there", make: () => file("models", "none"), code: "NotFound" },
  ])("refuses $what", async ({ make, code }) => {
    await mkdir(join(dir, "models", "folder"));
    await symlink(join(dir, "secret"), join(dir, "models", "link"));
    execFileSync("mkfifo", [join(dir, "models", "pipe")]);
    await expect(models().fetchArtifact(make())).rejects.toEqual(failure(code));
  });

  it("asks the policy before the cache, so that one task's artifacts are not another's", async () => {
    await models().fetchArtifact(file("models", "m"));
    await expect(models().fetchArtifact(file("secret"))).rejects.toEqual(failure("NotAllowed"));
  });
});

describe("the shared cache", () => {
  const fileIn = () => join(dir, "cache", digest.replace(":", "-"));

  it("is damaged and heals: a read verifies what it read and fetches again", async () => {
    const store = aStore();
    await store.fetchArtifact(at("/ok"));
    await writeFile(fileIn(), "damaged");
    expect(sha256(await store.readArtifact(at("/ok")))).toBe(digest);
    expect((await readFile(fileIn())).equals(content)).toBe(true);
  });

  it("stays under its bound by dropping what was used longest ago, and never what has just come", async () => {
    await mkdir(join(dir, "cache"));
    const names = ["1", "2", "3"].map((n) => sha256(n).replace(":", "-"));
    for (const [i, name] of names.entries()) {
      await writeFile(join(dir, "cache", name), Buffer.alloc(100_000));
      await utimes(join(dir, "cache", name), 1000 + i, 1000 + i);
    }
    await aStore({ maxCacheBytes: 450_000 }).fetchArtifact(at("/ok"));
    expect(await cached()).toEqual([names[2], digest.replace(":", "-")].sort());
  });

  it("counts a hit as a use", async () => {
    const store = aStore();
    await store.fetchArtifact(at("/ok"));
    await utimes(fileIn(), 1000, 1000);
    const old = sha256("old").replace(":", "-");
    await writeFile(join(dir, "cache", old), Buffer.alloc(100_000));
    await utimes(join(dir, "cache", old), 2000, 2000);
    await store.fetchArtifact(at("/ok"));
    const small = Buffer.from("small");
    await writeFile(join(dir, "small"), small);
    const bounded = aStore({ maxCacheBytes: 350_000, fileRoots: [dir] });
    await bounded.fetchArtifact({ uri: pathToFileURL(join(dir, "small")).href, digest: sha256(small) });
    expect(await cached()).toEqual([digest, sha256(small)].map((name) => name.replace(":", "-")).sort());
  });

  it("drops the temporary files of processes that died long ago, and not those of the living", async () => {
    await mkdir(join(dir, "cache"));
    await writeFile(join(dir, "cache", "tmp-1-dead"), "x");
    await utimes(join(dir, "cache", "tmp-1-dead"), 1000, 1000);
    await writeFile(join(dir, "cache", "tmp-2-alive"), "x");
    await aStore().fetchArtifact(at("/ok"));
    expect(await cached()).toEqual([digest.replace(":", "-"), "tmp-2-alive"]);
  });

  it("serves several processes that fetch and evict at the same time", async () => {
    // Two artifacts and room for one: each process keeps pushing out what the others need.
    const script = fileURLToPath(new URL("./fetch-in-a-loop.ts", import.meta.url));
    const args = [script, join(dir, "cache"), server.url, digest, sha256(second)];
    const runs = Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      return new Promise<number | null>((resolve) => child.on("exit", resolve));
    });
    expect(await Promise.all(runs)).toEqual([0, 0, 0]);
    expect(server.count("/second")).toBeGreaterThan(1);
    expect((await cached()).length).toBeLessThanOrEqual(1);
  });
});
