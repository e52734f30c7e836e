/**
 * Who is asking: a client certificate of this server's authority, or a bearer token. A client that shows neither is
 * anonymous, one that shows a wrong one is refused.
 */

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { anonymousUser, authenticatedGroup, type UserInfo } from "../authorization/user-info.ts";
import { apiAudiences, type TokenOutcome } from "../controllers/service-account-tokens.ts";
import { unauthorized } from "../status.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: string;
  readonly groups?: readonly string[];
}

/** Checks tokens that are not in the static list; service account tokens. */
export type TokenVerifier = (token: string, audiences: readonly string[]) => TokenOutcome;

export class Authenticator {
  /** By digest, so that looking a token up leaks nothing by timing. */
  readonly #tokens = new Map<string, UserInfo>();
  readonly #verify: TokenVerifier;

  constructor(tokens: readonly StaticToken[], verify: TokenVerifier) {
    this.#verify = verify;
    for (const { token, user, groups } of tokens) {
      this.#tokens.set(digest(token), { username: user, groups: [...(groups ?? []), authenticatedGroup] });
    }
  }

  authenticate(request: IncomingMessage): UserInfo {
    const certified = readCertificate(request.socket as TLSSocket);
    if (certified !== undefined && certified !== "refused") return certified;
    const shown = this.#shownBy(request);
    if (shown?.user !== undefined) return shown.user;
    const token = shown?.token;
    // A header of another scheme is no credential that this server knows.
    if (token === undefined) {
      if (certified === "refused") throw unauthorized();
      return anonymousUser;
    }
    const outcome = this.#verify(token, apiAudiences);
    if (outcome === undefined || "error" in outcome) throw unauthorized();
    return outcome.user;
  }

  /**
   * A connection mostly shows the same header over and over, which is digested once. Only the owner of the connection can
   * compare with that header, so this tells nobody anything. What a token of an account is worth is asked each time.
   */
  #shownBy({ socket, headers: { authorization = "" } }: IncomingMessage): Shown | undefined {
    const known = lastShown.get(socket);
    if (known?.header === authorization) return known;
    const token = /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (token === undefined) return undefined;
    const shown = { header: authorization, token, user: this.#tokens.get(digest(token)) };
    lastShown.set(socket, shown);
    return shown;
  }

  identify(token: string, audiences: readonly string[]): TokenOutcome {
    const known = this.#tokens.get(digest(token));
    if (known === undefined) return this.#verify(token, audiences);
    const shared = apiAudiences.filter((one) => audiences.includes(one));
    return shared.length === 0 ? undefined : { user: known, audiences: shared };
  }
}

interface Shown {
  readonly header: string;
  readonly token: string;
  /** Of the static list. */
  readonly user: UserInfo | undefined;
}

const lastShown = new WeakMap<Socket, Shown>();

/** Common name and organizations of the subject are user and groups. Read once a connection. */
const certified = new WeakMap<TLSSocket, UserInfo | "refused" | undefined>();

function readCertificate(socket: TLSSocket): UserInfo | "refused" | undefined {
  if (certified.has(socket)) return certified.get(socket);
  const peer = socket.getPeerCertificate?.();
  const shown = peer !== undefined && peer !== null && Object.keys(peer).length > 0;
  const user = !shown ? undefined : socket.authorized ? userOf(peer) : "refused";
  certified.set(socket, user);
  return user;
}

function userOf(peer: {
  subject: { CN?: string | string[]; O?: string | string[] };
  raw: Buffer;
}): UserInfo | "refused" {
  const [username] = [peer.subject.CN ?? []].flat();
  if (username === undefined || username === "") return "refused";
  const fingerprint = createHash("sha256").update(peer.raw).digest("hex");
  return {
    username,
    groups: [...[peer.subject.O ?? []].flat(), authenticatedGroup],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
