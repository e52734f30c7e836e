/** The contracts' addresses as the cluster's operator has them. What is proven with them is proven of those contracts. */
import { InferiumError } from "../../base/errors.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps } from "../../kube/core-resources.ts";
import type { Transport } from "../../kube/transport.ts";

/** @returns the text of addresses.json. @throws InferiumError ContractsUnknown */
export async function readContracts(
  transport: Transport,
  where: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const advice = "Name it with --system-namespace and --contracts, or give --addresses.";
  try {
    const found = (await createClient(transport, configMaps).get(where)).data?.["addresses.json"];
    if (found !== undefined) return found;
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
  }
  const message = `There is no ConfigMap ${where.namespace}/${where.name} with addresses.json. ${advice}`;
  throw new InferiumError("ContractsUnknown", message);
}
