/**
 * What the operator must not forget and no custom resource holds, as ConfigMaps of its own namespace: small fields in plain
 * sight, and a body as gzipped JSON, cut into parts where it is larger than one ConfigMap may be. The head is written last
 * and carries the digest, so that a record is there as a whole or not at all.
 */

import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { labels } from "../api/v1alpha1/labels.ts";
import { sha256 } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { readConfigMapRecord } from "../kube/config-map-record.ts";
import type { ConfigMap } from "../kube/core-resources.ts";

const gzip = promisify(gzipCallback);

/** The server takes 1 MiB of data in one ConfigMap; the rest is room for the fields. */
const maxPartBytes = 700 * 1024;
/** 45 MiB zipped: far beyond a batch of 1,024 tasks, and a bound all the same. */
const maxParts = 64;

export interface StoredRecord {
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface RecordStoreOptions {
  readonly client: KubeClient<ConfigMap>;
  readonly namespace: string;
  /** Records of one pool are not another's. */
  readonly pool: string;
  /** Such as `batch`: part of the names and of the label. */
  readonly kind: string;
}

export class RecordStore {
  readonly #options: RecordStoreOptions;

  constructor(options: RecordStoreOptions) {
    this.#options = options;
  }

  /** Heads of all records of the kind, without their bodies. */
  async list(): Promise<StoredRecord[]> {
    const { client, namespace, pool } = this.#options;
    const labelSelector = `${labels.component}=${this.#component},${labels.pool}=${pool}`;
    const { items } = await client.list({ namespace, labelSelector });
    const prefix = this.#nameOf("");
    return items.map((item) => ({ name: item.metadata.name.slice(prefix.length), fields: item.data ?? {} }));
  }

  /** Resolves once the record would survive a crash. @throws InferiumError RecordTooLarge */
  async save(record: StoredRecord, body: unknown): Promise<void> {
    const zipped = await gzip(JSON.stringify(body));
    const parts = split(zipped, record.name);
    for (const [index, part] of parts.entries()) if (index > 0) await this.#apply(`${record.name}.${index}`, part, {});
    const fields = { ...record.fields, parts: String(parts.length), digest: sha256(zipped) };
    await this.#apply(record.name, parts[0] ?? new Uint8Array(), fields, true);
  }

  /** Undefined where there is none. @throws InferiumError RecordDamaged */
  async load(name: string): Promise<unknown> {
    const head = await this.#get(name);
    if (!head) return undefined;
    return readConfigMapRecord(this.#options.client, head);
  }

  async remove(record: StoredRecord): Promise<void> {
    const count = Number(record.fields.parts ?? "1");
    await this.#delete(record.name);
    for (let index = 1; index < count; index++) await this.#delete(`${record.name}.${index}`);
  }

  get #component(): string {
    return `${this.#options.kind}-record`;
  }

  #nameOf(name: string): string {
    return `inferium-${this.#options.kind}-${name}`;
  }

  async #apply(name: string, part: Uint8Array, data: Record<string, string>, isHead = false): Promise<void> {
    const { client, namespace, pool } = this.#options;
    const component = isHead ? this.#component : `${this.#component}-part`;
    await client.apply({
      metadata: {
        name: this.#nameOf(name),
        namespace,
        labels: { [labels.component]: component, [labels.pool]: pool },
      },
      data,
      binaryData: { body: Buffer.from(part).toString("base64") },
    });
  }

  async #get(name: string): Promise<ConfigMap | undefined> {
    const { client, namespace } = this.#options;
    try {
      return await client.get({ namespace, name: this.#nameOf(name) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #delete(name: string): Promise<void> {
    const { client, namespace } = this.#options;
    await client.delete({ namespace, name: this.#nameOf(name) }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

function split(bytes: Uint8Array, name: string): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.byteLength; start += maxPartBytes)
    parts.push(bytes.subarray(start, start + maxPartBytes));
  if (parts.length <= maxParts) return parts;
  throw new InferiumError(
    "RecordTooLarge",
    `Record ${name} needs ${parts.length} ConfigMaps; at most ${maxParts} are written.`,
  );
}
