/** What relying parties read to check service account tokens themselves: the OpenID provider document and the keys. */
import { issuer, type ServiceAccountTokens } from "../controllers/service-account-tokens.ts";

export interface IssuerDocument {
  readonly body: string;
  readonly contentType: string;
}

export function issuerDocument(
  tokens: ServiceAccountTokens,
  pathname: string,
  address: string,
): IssuerDocument | undefined {
  if (pathname === "/openid/v1/jwks")
    return { body: JSON.stringify({ keys: [tokens.publicJwk()] }), contentType: "application/jwk-set+json" };
  if (pathname !== "/.well-known/openid-configuration") return undefined;
  const document = {
    issuer,
    jwks_uri: `https://${address}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  };
  return { body: JSON.stringify(document), contentType: "application/json" };
}
