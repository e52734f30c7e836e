import { describe, expect, it } from "vitest";
import type { Digest } from "../../../src/base/digest.ts";
import type { LoadedModel } from "../../../src/inference/session.ts";
import { createSessionCache } from "../../../src/inference/session-cache.ts";

const digest = (name: string): Digest => `sha256:${name}`;

/** Models that only know whether they were released. */
function aCache(maxSessions: number) {
  const cache = createSessionCache(maxSessions);
  const released: string[] = [];
  let loads = 0;
  const load = (name: string) => async (): Promise<LoadedModel> => {
    loads += 1;
    const session = { release: async () => void released.push(name) } as unknown as LoadedModel["session"];
    const runtime = { version: "0", provider: "cpu", isa: "none", level: "all" };
    return { session, run: async () => ({}), runtime };
  };
  const acquire = (name: string) => cache.acquire(digest(name), load(name));
  const use = async (name: string) => {
    const slot = acquire(name);
    await slot.loading;
    cache.release(slot);
  };
  return { cache, released, acquire, use, loads: () => loads };
}

describe("the cache of loaded models", () => {
  it("loads a model once for uses that come together and uses that follow", async () => {
    const { use, loads } = aCache(2);
    await Promise.all([use("a"), use("a")]);
    await use("a");
    expect(loads()).toBe(1);
  });

  it("releases the model used longest ago when there are too many", async () => {
    const { cache, use, released } = aCache(2);
    for (const name of ["a", "b", "a", "c"]) await use(name);
    await expect.poll(() => released).toEqual(["b"]);
    expect(cache.loaded()).toEqual([digest("a"), digest("c")]);
  });

  it("keeps a model that is in use, even over the limit, until its use ends", async () => {
    const { cache, acquire, use, released } = aCache(1);
    const slot = acquire("a");
    await slot.loading;
    await use("b");
    await expect.poll(() => released).toEqual(["b"]);
    await use("c");
    await expect.poll(() => released).toEqual(["b", "c"]);
    cache.release(slot);
    expect(cache.loaded()).toEqual([digest("a")]);
  });

  it("forgets a load that failed, so that the next use tries again", async () => {
    const { cache, use, loads } = aCache(1);
    const failing = cache.acquire(digest("a"), async () => Promise.reject(new Error("no memory")));
    await expect(failing.loading).rejects.toThrow("no memory");
    cache.release(failing);
    await use("a");
    expect(loads()).toBe(1);
  });

  it("releases everything on close, and what is in use when its use ends", async () => {
    const { cache, acquire, use, released } = aCache(4);
    await use("a");
    const slot = acquire("b");
    await slot.loading;
    await cache.close();
    expect(released).toEqual(["a"]);
    cache.release(slot);
    await expect.poll(() => released).toEqual(["a", "b"]);
  });
});
