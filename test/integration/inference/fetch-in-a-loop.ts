/** One of several processes that share a cache with room for one of two artifacts. Ends with 0 where every read was right. */
import { parseDigest, sha256 } from "../../../src/base/digest.ts";
import { createArtifactStore } from "../../../src/inference/fetch-artifact.ts";

const [cacheDir = "", url = "", first = "", second = ""] = process.argv.slice(2);
const refs = [
  { uri: `${url}/ok`, digest: parseDigest(first) },
  { uri: `${url}/second`, digest: parseDigest(second) },
];
const store = createArtifactStore({ cacheDir, maxCacheBytes: 310_000, allowedAddresses: ["127.0.0.0/8"] });

for (let i = 0; i < 30; i++) {
  for (const ref of refs) {
    const bytes = await store.readArtifact(ref);
    if (sha256(bytes) !== ref.digest) process.exit(1);
  }
}
