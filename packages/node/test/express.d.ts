/** What the tests use of Express, whose declarations are a package of their own. */
declare module "express" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  interface Response extends ServerResponse {
    send(body: string): void;
  }
  interface Application {
    (request: IncomingMessage, response: ServerResponse): void;
    get(path: string, handler: (request: IncomingMessage, response: Response) => void): void;
  }
  function express(): Application;
  export = express;
}
