import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../", import.meta.url));

interface Source {
  /** Path below `packages/<name>/src`, for example `rpc/rpc.ts`. */
  readonly path: string;
  /** The code without its comments. */
  readonly code: string;
  /** What is imported: paths below `src`, or names of packages. */
  readonly imports: readonly string[];
}

function sourcesOf(name: string): Source[] {
  const src = join(packages, name, "src");
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const code = readFileSync(join(src, path), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      const imports = [...code.matchAll(/(?:from|import)\s+"([^"]+)";/g)].map(([, specifier = ""]) =>
        specifier.startsWith(".") ? relative(src, normalize(join(src, dirname(path), specifier))) : specifier,
      );
      return { path, code, imports };
    });
}

/** The files beside the folders of a package that import from these; the others are its foundation. */
const faces = [
  ...["certificates.ts", "connect.ts", "index.ts", "listen-options.ts", "listen.ts", "listener.ts", "own-server.ts"],
  "transfers.ts",
  ...["charger.ts", "charger-keys.ts", "charger-options.ts", "connector.ts", "desk.ts", "engine.ts", "file-jobs.ts"],
  ...[
    "answering.ts",
    "job-tools.ts",
    "firmware-job.ts",
    "firmware-management.ts",
    "security-requests.ts",
    "upload-job.ts",
  ],
  ...["metered-transaction.ts", "requests.ts"],
];

/** The module that a source belongs to: its folder, `faces`, or `foundation` for the files that stand alone. */
function moduleOf(path: string): string {
  const [folder = "", file] = path.split("/");
  if (file !== undefined) return folder;
  return faces.includes(path) ? "faces" : "foundation";
}

/** Who may import whom: docs/architecture.md. Each may also import itself, and the faces everything. */
const allowed: Record<string, Record<string, readonly string[]>> = {
  core: {
    foundation: [],
    rpc: ["foundation"],
    messages: ["foundation", "zod/mini"],
    connection: ["foundation", "rpc", "messages", "eventemitter3"],
    store: ["foundation"],
    delivery: ["foundation", "messages", "store"],
    authorization: ["foundation", "messages", "store"],
    configuration: ["foundation", "messages", "store", "authorization", "delivery"],
    "charge-point": [
      "foundation",
      "rpc",
      "connection",
      "messages",
      "store",
      "authorization",
      "delivery",
      "configuration",
      "smart-charging",
    ],
    "central-system": ["foundation", "connection", "messages"],
    credentials: ["foundation", "connection", "messages", "store", "configuration", "central-system"],
    "smart-charging": ["foundation", "messages", "store"],
    "vendor-messages": ["foundation", "connection", "messages"],
    plausibility: ["foundation", "messages", "authorization", "central-system"],
    provisioning: ["foundation", "connection", "messages", "authorization", "configuration", "central-system"],
  },
  node: {
    foundation: [],
    transport: [],
    store: ["foundation"],
    tls: ["foundation"],
    certificates: ["tls"],
    transfers: ["foundation", "tls"],
    handshake: ["foundation", "transport", "tls"],
  },
  charger: {
    foundation: ["hardware"],
    hardware: [],
    status: ["foundation", "hardware", "session"],
    session: [],
    reservation: ["foundation"],
    availability: ["foundation"],
    metering: ["hardware"],
    limits: ["hardware"],
    reset: [],
    files: ["hardware"],
    security: ["foundation"],
    certificates: ["foundation", "security"],
    simulated: ["foundation", "hardware", "files"],
  },
};

describe.each(Object.entries(allowed))("packages/%s/src", (name, modules) => {
  const sources = sourcesOf(name);

  test("consists of the modules that this test knows", () => {
    const known = [...Object.keys(modules), "faces"];
    expect([...new Set(sources.map(({ path }) => moduleOf(path)))].sort()).toEqual(known.sort());
  });

  test.each(sources.map(({ path, imports }) => [path, imports] as const))(
    "%s imports only what it may",
    (path, imports) => {
      const self = moduleOf(path);
      if (self === "faces") return;
      for (const imported of imports) {
        const isOwn = imported.endsWith(".ts");
        if (!isOwn && name !== "core") continue;
        const target = isOwn ? moduleOf(imported) : imported;
        if (target !== self) expect(modules[self], `${path} imports ${imported}`).toContain(target);
      }
    },
  );
});

describe("packages/core/src", () => {
  const sources = sourcesOf("core");

  test("messages/ takes nothing but errors.ts and guarded.ts from the foundation", () => {
    const imported = sources.filter(({ path }) => moduleOf(path) === "messages").flatMap(({ imports }) => imports);
    expect(imported.filter((path) => path.endsWith(".ts") && moduleOf(path) === "foundation")).toEqual(
      imported.filter((path) => path === "errors.ts" || path === "guarded.ts"),
    );
  });

  test.each([
    ["Date.now", /\bDate\.now\b/, ["clock.ts"]],
    ["Math.random", /\bMath\.random\b/, ["charge-point/charge-point.ts", "connection/message-id.ts"]],
    ["setTimeout", /\bsetTimeout\b/, ["clock.ts"]],
    // The others throw RangeError for a time that is none.
    ["toISOString", /\btoISOString\b/, ["date-time.ts"]],
    ["console", /\bconsole\b/, []],
    ["what keys of records begin with", /["`](?:[a-z]+-)*[a-z]+\/(?:["`]|\$\{)/, []],
    // Machines and pure code are synchronous; only what joins them to a network or a store is not.
    [
      "async",
      /\basync [\w#(]/,
      [
        "authorization/authorization-cache.ts",
        "authorization/local-auth-list.ts",
        "central-system/central-system.ts",
        "charge-point/authorizer.ts",
        "charge-point/built-in-handlers.ts",
        "charge-point/charge-point.ts",
        "charge-point/readable-answers.ts",
        "charge-point/trigger-message.ts",
        "configuration/configuration.ts",
        "connection/connection.ts",
        "credentials/credential-store.ts",
        "credentials/known-credentials.ts",
        "credentials/own-credentials.ts",
        "credentials/password-hash.ts",
        "credentials/web-crypto.ts",
        "delivery/deliveries.ts",
        "delivery/delivery.ts",
        "in-time.ts",
        "provisioning/apply-configuration.ts",
        "provisioning/apply-local-auth-list.ts",
        "provisioning/configured-charger.ts",
        "provisioning/kept-reasons.ts",
        "provisioning/provisioning.ts",
        "smart-charging/smart-charging.ts",
        "store/namespace.ts",
        "store/record-keeper.ts",
        "store/stored-records.ts",
        "vendor-messages/call-vendor-message.ts",
        "vendor-messages/vendor-message.ts",
        "vendor-messages/vendor-messages.ts",
      ],
    ],
  ])("says %s only where it may", (_, pattern, files) => {
    expect(
      sources
        .filter(({ code }) => pattern.test(code))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(files);
  });

  test("declares host functions only where they are used", () => {
    expect(
      sources
        .filter(({ code }) => /^declare const/m.test(code))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(["abort.ts", "clock.ts", "connection/message-id.ts", "credentials/web-crypto.ts"]);
  });
});

/** The files that can be reached from a file by imports, itself if it is in a circle. */
function reachableFrom(path: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const look = (from: string): void => {
    for (const to of imports.get(from) ?? []) {
      if (found.has(to)) continue;
      found.add(to);
      look(to);
    }
  };
  look(path);
  return found;
}

test.each(["bench", "browser", "charger", "core", "node", "testing"])(
  "no sources of %s import each other in a circle, be it for types only",
  (name) => {
    const imports = new Map(sourcesOf(name).map((source) => [source.path, source.imports]));
    expect([...imports.keys()].filter((path) => reachableFrom(path, imports).has(path))).toEqual([]);
  },
);

describe.each([
  ["node", ["@ocppj/core", "@peculiar/x509", "basic-ftp", "ws"]],
  ["browser", ["@ocppj/core"]],
  ["charger", ["@ocppj/core"]],
  ["testing", ["@ocppj/core", "fast-check"]],
])("packages/%s/src", (name, dependencies) => {
  test(`imports nothing but itself, the runtime and ${dependencies.join(", ")}`, () => {
    const foreign = sourcesOf(name)
      .flatMap(({ imports }) => imports)
      .filter((imported) => !imported.endsWith(".ts") && !imported.startsWith("node:"));
    expect([...new Set(foreign)].filter((imported) => !dependencies.includes(imported))).toEqual([]);
  });
});
