/**
 * Reads a record that was cut into ConfigMaps: gzipped JSON, the head with its digest and the number of parts, the others named
 * after it. Whoever writes one says how; whoever reads one finds it whole or not at all.
 */
import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { sha256 } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import type { ConfigMap } from "./core-resources.ts";

const gunzip = promisify(gunzipCallback);

/** @throws InferiumError RecordDamaged where a part is missing or the whole is not what its digest names */
export async function readConfigMapRecord(
  client: Pick<KubeClient<ConfigMap>, "get">,
  head: ConfigMap,
): Promise<unknown> {
  const { name, namespace = "" } = head.metadata;
  const chunks = [bytesOf(head)];
  for (let index = 1; index < Number(head.data?.parts ?? "1"); index++)
    chunks.push(bytesOf(await find(client, { namespace, name: `${name}.${index}` })));
  const zipped = Buffer.concat(chunks);
  if (sha256(zipped) !== head.data?.digest) throw damaged(name);
  return JSON.parse((await gunzip(zipped)).toString("utf8")) as unknown;
}

async function find(
  client: Pick<KubeClient<ConfigMap>, "get">,
  key: { readonly namespace: string; readonly name: string },
): Promise<ConfigMap | undefined> {
  try {
    return await client.get(key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function bytesOf(map: ConfigMap | undefined): Buffer {
  return Buffer.from(map?.binaryData?.body ?? "", "base64");
}

function damaged(name: string): InferiumError {
  const message = `The record in ConfigMap ${name} and its parts does not match its digest; restore them from a backup.`;
  return new InferiumError("RecordDamaged", message, { disposition: "fatal" });
}
