/** Finds the native anvil that npm installed for this platform beside `@foundry-rs/anvil`. */
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InferiumError } from "../../base/errors.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** @throws InferiumError AnvilMissing */
export function findAnvil(platform: string = process.platform, architecture: string = process.arch): string {
  const name = `@foundry-rs/anvil-${platform}-${architectures[architecture] ?? architecture}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json");
    const binary = join(dirname(createRequire(wrapper).resolve(`${name}/package.json`)), "bin", "anvil");
    accessSync(binary, constants.X_OK);
    return binary;
  } catch (cause) {
    throw new InferiumError(
      "AnvilMissing",
      `The local chain needs ${name}, which is not installed (or its binary cannot be run). ` +
        "Install the project with its development and optional packages (npm ci), or name an RPC endpoint instead.",
      { disposition: "fatal", cause },
    );
  }
}
