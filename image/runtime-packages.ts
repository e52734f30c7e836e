/**
 * Packages that the bundle leaves outside: they hold binaries, are found by path, run in a process of their own, or have a licence that
 * keeps them apart. bundle.ts does not follow them, and image/assemble.ts puts them beside the bundle.
 */
export const externalPackages = [
  "onnxruntime-node",
  "snarkjs",
  "ffjavascript",
  "tiny-secp256k1",
  "node-nvidia-smi",
] as const;
