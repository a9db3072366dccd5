/**
 * The connection URL of a Charge Point: the endpoint URL, its path extended by `/` and the percent-encoded identity.
 * A query string stays where it is.
 *
 * @param endpoint - Endpoint URL of the Central System, for example `wss://central.example.com/ocpp`.
 * @param identity - Identity of the Charge Point, for example `RDAM 123`.
 * @throws TypeError The endpoint is no `ws:` or `wss:` URL, has a fragment, or the identity cannot stand in a URL.
 * @spec OCPP-J 1.6 §3.1.1 [J-004 … J-007]
 */
export function connectionUrl(endpoint: string, identity: string): string {
  const [, base, query] = /^(wss?:\/\/[^/?#][^?#]*)(\?[^#]*)?$/i.exec(endpoint) ?? [];
  if (base === undefined) {
    throw new TypeError(`"${endpoint}" is no endpoint URL. Give one like "wss://central.example.com/ocpp".`);
  }
  return `${base.endsWith("/") ? base : `${base}/`}${encodeIdentity(identity)}${query ?? ""}`;
}

function encodeIdentity(identity: string): string {
  // A URL parser removes the segments "." and "..", percent-encoded or not.
  if (identity === "" || identity === "." || identity === "..") {
    throw new TypeError(`"${identity}" cannot be the identity of a Charge Point. Give the name it is known by.`);
  }
  try {
    return encodeURIComponent(identity);
  } catch (cause) {
    throw new TypeError("The identity is not well-formed Unicode: it contains half of a surrogate pair.", { cause });
  }
}

/**
 * The identity in the path of an upgrade request: what {@link connectionUrl} put there.
 *
 * @param path - Path of the request, percent-encoded, with or without a query string.
 * @param endpointPath - Path of the endpoint URL, for example `/ocpp`.
 * @returns The identity, decoded exactly once; `undefined` when the path is not below the endpoint, has further
 * segments, or is not valid percent-encoded UTF-8.
 * @spec OCPP-J 1.6 §3.1.1 [J-008]
 */
export function identityFromPath(path: string, endpointPath: string): string | undefined {
  const prefix = endpointPath.endsWith("/") ? endpointPath : `${endpointPath}/`;
  const [pathOnly = ""] = path.split("?", 1);
  if (!pathOnly.startsWith(prefix)) return undefined;
  const segment = pathOnly.slice(prefix.length);
  if (segment === "" || segment.includes("/")) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
