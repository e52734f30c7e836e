/** Starts and stops the controllers that live inside of the server. */
import type { ApiContext } from "../operations/context.ts";
import { ApiServiceController } from "./api-services.ts";
import { ClusterRoleAggregation } from "./cluster-role-aggregation.ts";
import { DefinitionController } from "./definitions.ts";
import { EventExpiry } from "./event-expiry.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { NamespaceController } from "./namespaces.ts";
import { ResourceQuotaController } from "./resource-quotas.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";
import { ServiceAddressController } from "./service-addresses.ts";
import { TokenSecretController } from "./token-secrets.ts";

export interface ControllerInputs {
  readonly caPem: string;
  readonly tokens: ServiceAccountTokens;
}

export function startControllers(context: ApiContext, { caPem, tokens }: ControllerInputs): { stop(): void } {
  const controllers = [
    new DefinitionController(context),
    new NamespaceController(context, caPem),
    new GarbageCollector(context),
    new ClusterRoleAggregation(context),
    new TokenSecretController(context, { caPem, tokens }),
    new EventExpiry(context),
    new ResourceQuotaController(context),
    new ApiServiceController(context),
    new ServiceAddressController(context),
  ];
  return {
    stop: () => {
      for (const controller of controllers) controller.stop();
    },
  };
}
