/* Requests for an upgrade to something else, at a server that an endpoint is attached to: they are the application's. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect as connectSecurely } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { Authority } from "../certificates.ts";
import { openEndpoint } from "../open-endpoint.ts";
import { RawSocket } from "../raw-socket.ts";

const echo: RequestListener = (request, response) => {
  const body: Buffer[] = [];
  request.on("data", (chunk) => body.push(chunk));
  request.on("end", () => response.end(`${request.headers.upgrade} ${request.url} ${Buffer.concat(body)}`));
};

const own = async () => (await Authority.create("CA")).issue({ commonName: "central.example" });

test.each(["http", "https"])(
  "The body of such a request is read, and so is what follows it, over %s",
  async (scheme) => {
    const server = scheme === "http" ? createServer(echo) : createSecureServer(await own(), echo);
    await openEndpoint({ server });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const peer =
      scheme === "http"
        ? await RawSocket.open(port)
        : new RawSocket(connectSecurely({ port, host: "127.0.0.1", rejectUnauthorized: false }));
    const first = ["POST /api HTTP/1.1", "Host: x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"];
    peer.request(...first, "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", "Content-Length: 9");
    peer.write("the body.GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(await peer.rest()).toMatch(/ 200 OK.*undefined \/api the body\..* 200 OK.*undefined \/last /s);
  },
);
