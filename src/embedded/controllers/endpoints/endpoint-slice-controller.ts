/** Keeps the EndpointSlices of services with a selector. Effects: creates, updates and deletes its own slices. */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller } from "../../../kube/controller.ts";
import { type ObjectMeta, ownerReferenceTo } from "../../../kube/object.ts";
import { nodeResource } from "../../kubelet/node-agent.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { sameJson } from "../canonical.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { type EndpointSlice, endpointSliceResource, type Service, serviceResource } from "../network-types.ts";
import {
  buildSlices,
  managedByLabel,
  type SliceContent,
  serviceNameLabel,
  sliceLabels,
  sliceManager,
} from "./endpoint-slices.ts";
import { watchServices } from "./watch-services.ts";

export function createEndpointSliceController(context: ControllerContext): Controller {
  const controller = controllerNamed(context, "endpointslice", (key) => reconcile(context, key));
  watchServices(context, controller);
  // Read for the zones of endpoints.
  context.informers.of(nodeResource);
  // A slice that somebody changed or removed is put right.
  controller.watch(context.informers.of(endpointSliceResource), ({ object, type }) => {
    const name = isOurs(object) && type !== "added" ? object.metadata.labels?.[serviceNameLabel] : undefined;
    return name === undefined ? [] : [`${object.metadata.namespace}/${name}`];
  });
  return controller;
}

function isOurs(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[managedByLabel] === sliceManager;
}

async function reconcile(context: ControllerContext, key: string): Promise<void> {
  const { informers } = context;
  const service = informers.of(serviceResource).store.get(key);
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
  // Without a selector the slices are somebody else's business.
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return;
  const namespace = service.metadata.namespace ?? "";
  const existing = informers
    .of(endpointSliceResource)
    .store.byIndex("namespace", namespace)
    .filter((slice) => isOurs(slice) && slice.metadata.labels?.[serviceNameLabel] === service.metadata.name);
  const pods = informers.of(podResource).store.byIndex("namespace", namespace);
  const wanted = buildSlices(service, pods, (name) => informers.of(nodeResource).store.get(name));
  await applySlices(context, service, existing, wanted);
}

/** A slice that is right already stays; the others take the remaining contents in turn. */
async function applySlices(
  context: ControllerContext,
  service: Service,
  existing: readonly EndpointSlice[],
  wanted: readonly SliceContent[],
): Promise<void> {
  const client = clientOf(context, endpointSliceResource);
  const labels = sliceLabels(service);
  const isRight = (slice: EndpointSlice, content: SliceContent) =>
    sameJson(contentOf(slice), content) && sameJson(slice.metadata.labels, labels);
  const spare = existing.filter((slice) => !wanted.some((content) => isRight(slice, content)));
  const missing = wanted.filter((content) => !existing.some((slice) => isRight(slice, content)));
  for (const content of missing) {
    const slice = spare.find((one) => one.addressType === content.addressType);
    if (slice === undefined) await client.create(buildSlice(service, content, labels));
    else {
      spare.splice(spare.indexOf(slice), 1);
      await client.update({ ...slice, ...content, metadata: { ...slice.metadata, labels } });
    }
  }
  for (const slice of spare) {
    try {
      await client.delete(slice.metadata);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function contentOf({ addressType, endpoints = [], ports = [] }: EndpointSlice): SliceContent {
  return { addressType, endpoints, ports };
}

function buildSlice(service: Service, content: SliceContent, labels: Record<string, string>): EndpointSlice {
  const metadata: ObjectMeta & { generateName: string } = {
    name: "",
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace ?? "",
    labels,
    ownerReferences: [ownerReferenceTo(service)],
  };
  const { apiVersion, kind } = endpointSliceResource;
  return { apiVersion, kind, metadata, ...content };
}
