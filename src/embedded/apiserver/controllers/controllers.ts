/** Starts and stops the controllers that live inside of the server. */
import type { ApiContext } from "../operations/context.ts";
import { DefinitionController } from "./definitions.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { NamespaceController } from "./namespaces.ts";

export function startControllers(context: ApiContext, caPem: string): { stop(): void } {
  const controllers = [
    new DefinitionController(context),
    new NamespaceController(context, caPem),
    new GarbageCollector(context),
  ];
  return {
    stop: () => {
      for (const controller of controllers) controller.stop();
    },
  };
}
