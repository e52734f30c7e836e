/**
 * The keys of a trial's members, as the chart mounts them: a folder with `settler/key`, `worker-NAME/key` and `validator-NAME/key`, and
 * `passphrase` beside a key that is a keystore. Effects: reads the folder.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Signer } from "ethers";
import { describeError, InferiumError } from "../../base/errors.ts";
import { openSigner } from "../../chain/open-signer.ts";

export interface TrialMember {
  readonly name: string;
  readonly role: "Worker" | "Validator";
  readonly signer: Signer;
  readonly address: string;
}

export interface TrialKeys {
  readonly settler: string;
  readonly members: readonly TrialMember[];
}

/** @throws InferiumError KeyUnreadable */
export async function readTrialKeys(folder: string): Promise<TrialKeys> {
  const names = (await list(folder)).sort();
  const settler = await open(folder, "settler");
  const members: TrialMember[] = [];
  for (const entry of names) {
    const [, role, name] = /^(worker|validator)-(.+)$/.exec(entry) ?? [];
    if (name === undefined) continue;
    const signer = await open(folder, entry);
    const address = await signer.getAddress();
    members.push({ name, role: role === "worker" ? "Worker" : "Validator", signer, address });
  }
  return { settler: await settler.getAddress(), members };
}

async function open(folder: string, entry: string): Promise<Signer> {
  const place = join(folder, entry);
  const passwordFile = (await list(place)).includes("passphrase") ? join(place, "passphrase") : undefined;
  return openSigner({ keyFile: join(place, "key"), passwordFile }, null);
}

/** What Kubernetes keeps beside a volume's files begins with two dots. */
async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith(".."));
  } catch (cause) {
    const message = `The keys' folder ${folder} cannot be read: ${describeError(cause)}. Expected settler/key, worker-NAME/key and validator-NAME/key in it.`;
    throw new InferiumError("KeyUnreadable", message, { disposition: "fatal", cause });
  }
}
