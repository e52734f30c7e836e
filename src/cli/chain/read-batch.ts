/** What a batch is made of, from the operator's records in ConfigMaps. What is read is proven against the chain by its user. */
import { labels } from "../../api/v1alpha1/labels.ts";
import { InferiumError } from "../../base/errors.ts";
import { createClient } from "../../kube/client.ts";
import { readConfigMapRecord } from "../../kube/config-map-record.ts";
import { configMaps } from "../../kube/core-resources.ts";
import type { Transport } from "../../kube/transport.ts";
import type { BatchData } from "../../pool/batch-evidence.ts";

/** @throws InferiumError BatchUnknown where the pool keeps no such batch */
export async function readBatch(
  transport: Transport,
  namespace: string,
  wanted: { readonly headerHash: string } | { readonly sequence: number },
): Promise<BatchData> {
  const client = createClient(transport, configMaps);
  const { items } = await client.list({ namespace, labelSelector: `${labels.component}=batch-body-record` });
  const head = items.find(({ data = {} }) =>
    "headerHash" in wanted ? data.headerHash === wanted.headerHash : Number(data.sequence) === wanted.sequence,
  );
  if (head === undefined) {
    const what = "headerHash" in wanted ? `with header ${wanted.headerHash}` : `${wanted.sequence}`;
    throw new InferiumError("BatchUnknown", `Namespace ${namespace} holds no record of the batch ${what}.`);
  }
  return ((await readConfigMapRecord(client, head)) as { data: BatchData }).data;
}
