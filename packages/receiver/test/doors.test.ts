/** Who is let in, over both transports: certificates, credentials, web pages. */
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import type { OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { connect } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseConfig } from "../src/config/load-config.ts";
import { RpcStatus } from "../src/otlp/schema.ts";
import type { Certificate } from "./certificates.ts";
import { createAuthority } from "./certificates.ts";
import { grpcClient } from "./grpc-client.ts";
import { encodeSpans, post, START_MS, startReceiver } from "./running-receiver.ts";

const folder = mkdtempSync(join(tmpdir(), "tidemark-doors-"));
const span = { atMs: START_MS, attributes: { "ml.model.name": "weather" } };
const HEALTH = "/grpc.health.v1.Health/Check";

function file(name: string, content: string): string {
  const path = join(folder, name);
  // Renamed into place, so that nobody reads half of it.
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  return path;
}

/** A receiver with the same keys, as YAML, added to both protocols. */
async function started(keys: string, httpKeys = "") {
  const receiver = await startReceiver(
    `receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:0", ${keys} }
      http: { endpoint: "127.0.0.1:0", ${keys} ${httpKeys} }
`,
  );
  onTestFinished(() => receiver.shutdown());
  return receiver;
}

function client(url: string, channel = credentials.createInsecure()) {
  const made = grpcClient(url, channel);
  onTestFinished(() => made.close());
  return made;
}

/** Posts spans over TLS on a connection of its own: the status, or the code of what went wrong. */
function securePost(url: string, options: RequestOptions): Promise<number | string> {
  return new Promise((resolve) => {
    const headers: OutgoingHttpHeaders = { "content-type": "application/x-protobuf" };
    const sent = request(`${url}/v1/traces`, { ...options, method: "POST", headers, agent: false });
    sent.once("response", (response) => resolve(response.resume().statusCode ?? 0));
    sent.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(encodeSpans([span]));
  });
}

function grpcCredentials(ca: string, own?: Certificate) {
  if (own === undefined) return credentials.createSsl(Buffer.from(ca));
  return credentials.createSsl(Buffer.from(ca), Buffer.from(own.key), Buffer.from(own.cert));
}

describe("TLS", () => {
  const authority = createAuthority("tests");
  const server = authority.issue("server");
  const tls = (more = "") =>
    `tls: { cert_file: ${file("server.pem", server.cert)}, ` +
    `key_file: ${file("server.key", server.key)}, ${more} }`;

  it("serves both protocols to who trusts the authority, and not in plain", async () => {
    const receiver = await started(tls());
    expect([receiver.otlp, receiver.grpc].map((url) => new URL(url).protocol)).toEqual([
      "https:",
      "https:",
    ]);
    expect(await securePost(receiver.otlp, { ca: authority.cert })).toBe(200);
    const channel = grpcCredentials(authority.cert);
    expect((await client(receiver.grpc, channel).call(encodeSpans([span]))).code).toBe(0);
    await expect(post(receiver.otlp.replace("https", "http"), "")).rejects.toThrow("fetch failed");
    expect((await client(receiver.grpc).call(encodeSpans([span]))).code).toBe(14);
  });

  it("refuses clients without a certificate, or with a stranger's, when it asks for one", async () => {
    const clients = file("clients.pem", authority.cert);
    const receiver = await started(tls(`client_ca_file: ${clients}`));
    const known = authority.issue("client");
    const stranger = createAuthority("strangers").issue("client");
    const ca = authority.cert;
    expect(await securePost(receiver.otlp, { ca, ...known })).toBe(200);
    expect(await securePost(receiver.otlp, { ca })).toMatch(/ECONNRESET|CERTIFICATE_REQUIRED/);
    expect(await securePost(receiver.otlp, { ca, ...stranger })).toMatch(/ECONNRESET|UNKNOWN_CA/);
    const codes = [known, undefined, stranger].map(async (own) => {
      const made = client(receiver.grpc, grpcCredentials(ca, own));
      return (await made.call(encodeSpans([span]))).code;
    });
    expect(await Promise.all(codes)).toEqual([0, 14, 14]);
  });

  it("speaks no older version than it may", async () => {
    const receiver = await started(tls('min_version: "1.3"'));
    const ca = authority.cert;
    expect(await securePost(receiver.otlp, { ca, maxVersion: "TLSv1.2" })).toMatch(/PROTO/);
    expect(await securePost(receiver.otlp, { ca })).toBe(200);
  });

  it("takes a new certificate up without a restart, and keeps the old one to a broken file", async () => {
    const receiver = await started(tls("reload_interval: 100ms"));
    const { cert, key } = authority.issue("renewed");
    const presented = async () => {
      const { port } = new URL(receiver.otlp);
      const socket = connect({ port: Number(port), host: "127.0.0.1", ca: authority.cert });
      await new Promise((resolve) => socket.once("secureConnect", resolve));
      const { CN } = (socket as TLSSocket).getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    expect(await presented()).toBe("server");
    file("server.key", "nothing");
    await expect.poll(() => receiver.log.join("")).toContain("new TLS files cannot be used");
    expect(await presented()).toBe("server");
    file("server.pem", cert);
    file("server.key", key);
    await expect.poll(presented, { timeout: 10_000 }).toBe("renewed");
  });
});

describe("credentials", () => {
  const users = file("users", "# people\nada:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\nbob:open sesame\n");
  const tokens = file("tokens", "from-file\n");
  const auth =
    `auth: { bearer: { token: one, tokens: [two], filename: ${tokens} }, ` +
    `basic: { htpasswd: { file: ${users}, inline: "eve:inline" } } },`;
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

  it.each([
    ["the token", "Bearer one", true],
    ["one of the tokens", "bearer two", true],
    ["a token of the file", "Bearer from-file", true],
    ["a hashed password", basic("ada:"), true],
    ["a plain password", basic("bob:open sesame"), true],
    ["a password of the configuration", basic("eve:inline"), true],
    ["nothing", undefined, false],
    ["a wrong token", "Bearer three", false],
    ["an empty token", "Bearer ", false],
    ["a password as a token", "Bearer bob:open sesame", false],
    ["a token as a password", basic("one"), false],
    ["a wrong password", basic("ada:x"), false],
    ["a hash in place of the password", basic("ada:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="), false],
    ["another's password", basic("ada:open sesame"), false],
    ["another scheme", "Digest one", false],
    ["a header of 20 kB", `Bearer ${"x".repeat(12_000)}`, false],
  ])("%s: lets in as it should, over both transports", async (_, authorization, admitted) => {
    const receiver = await started(auth);
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const answer = await post(`${receiver.otlp}/v1/traces`, encodeSpans([span]), headers);
    const call = await client(receiver.grpc).call(encodeSpans([span]), { metadata: headers });
    expect([answer.status, call.code]).toEqual(admitted ? [200, 0] : [401, 16]);
  });

  it("says what would let in, as a Status and as challenges, and asks nothing of health", async () => {
    const receiver = await started(auth);
    const answer = await post(`${receiver.otlp}/v1/traces`, "");
    expect(answer.headers.get("www-authenticate")).toBe(
      'Bearer, Basic realm="tidemark", charset="UTF-8"',
    );
    const status = RpcStatus.decode(new Uint8Array(await answer.arrayBuffer()));
    expect(RpcStatus.toObject(status)).toMatchObject({ code: 16 });
    const health = await client(receiver.grpc).call(new Uint8Array(0), { path: HEALTH });
    expect(health.code).toBe(0);
  });

  it("take up what is new in their files, and keep the old ones to a file that is broken", async () => {
    const changing = file("changing", "first\n");
    const receiver = await started(`auth: { bearer: { filename: ${changing} } },`);
    const statusOf = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await post(`${receiver.otlp}/v1/traces`, encodeSpans([span]), headers)).status;
    };
    expect([await statusOf("first"), await statusOf("second")]).toEqual([200, 401]);
    file("changing", "# nobody\n");
    const said = () => receiver.log.join("");
    await expect.poll(said, { timeout: 30_000 }).toContain("new credentials cannot be used");
    expect(await statusOf("first")).toBe(200);
    file("changing", "second\n");
    await expect.poll(() => statusOf("second"), { timeout: 30_000 }).toBe(200);
    expect(await statusOf("first")).toBe(401);
    expect(said()).not.toContain("second");
  });

  it.each([
    ["a file that is not there", "bearer: { filename: /nowhere }", /bearer.filename: \/nowhere/],
    ["nobody", "bearer: {}", /names nobody who may send/],
    ["a user without password", 'basic: { htpasswd: { inline: "x" } }', /form user:password/],
    [
      "a password that cannot be checked",
      `basic: { htpasswd: { inline: "x:$$2y$$05$$abc" } }`,
      /password of x is hashed in a way that is not supported/,
    ],
  ])("do not start with %s", async (_, keys, message) => {
    await expect(started(`auth: { ${keys} }, `)).rejects.toThrow(message);
  });
});

describe("web pages", () => {
  const cors =
    'cors: { allowed_origins: ["https://app.example", "https://*.example.org"], ' +
    "allowed_headers: [Authorization], max_age: 60 }";
  const ask = (origin: string, more: Record<string, string> = {}): RequestInit => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", ...more },
  });

  it.each([
    ["https://app.example", true],
    ["https://a.example.org", true],
    ["https://app.example.com", false],
    ["https://example.org", false],
    ["http://app.example", false],
    ["https://evil/.example.org", false],
  ])("of %s: are let in as the list says", async (origin, allowed) => {
    const receiver = await started("auth: { bearer: { token: one } },", cors);
    const url = `${receiver.otlp}/v1/traces`;
    const preflight = await fetch(url, ask(origin));
    const sent = await post(url, encodeSpans([span]), { origin, authorization: "Bearer one" });
    const allow = "access-control-allow-origin";
    expect([preflight.status, preflight.headers.get(allow), sent.headers.get(allow)]).toEqual(
      allowed ? [204, origin, origin] : [405, null, null],
    );
    expect(sent.headers.get("vary")).toBe("Origin");
    expect(sent.status).toBe(200);
    if (!allowed) return;
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "Accept, Content-Type, Content-Encoding, Authorization",
      "access-control-max-age": "60",
      "access-control-allow-credentials": "true",
    });
  });

  it("may be of any origin, and are then not lent their visitors' credentials", async () => {
    const receiver = await started("", 'cors: { allowed_origins: ["*"], allowed_headers: ["*"] }');
    const asked = ask("https://x", { "access-control-request-headers": "x-mine" });
    const { headers } = await fetch(`${receiver.otlp}/v1/traces`, asked);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-headers")).toBe("x-mine");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("get no permission from a receiver that lists none", async () => {
    const receiver = await started("");
    const answer = await fetch(`${receiver.otlp}/v1/traces`, ask("https://app.example"));
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([405, null]);
  });
});

describe("an address beyond loopback", () => {
  const open = 'grpc: { endpoint: "0.0.0.0:0" }, http: { endpoint: "[::]:0" }';
  const auth = "auth: { bearer: { token: x } }";
  it.each([
    ["is warned of once", open, ["grpc and receivers.otlp.protocols.http"]],
    ["is not warned of when nobody serves it", open.replaceAll('0"', '0", enabled: false'), []],
    ["is not warned of when it asks who is there", open.replaceAll('0"', `0", ${auth}`), []],
    ["is warned of alone", open.replace('0"', `0", ${auth}`), ["protocols.http, and read"]],
  ])("%s", (_, protocols, expected) => {
    const text = `receivers:\n  otlp: { protocols: { ${protocols} } }\n`;
    const { warnings } = parseConfig(text, "t.yaml", {});
    expect(warnings).toHaveLength(expected.length);
    for (const part of expected) expect(warnings[0]).toContain(part);
    if (expected.length > 0) expect(warnings[0]).toMatch(/^t\.yaml:2: anybody in the network/);
  });

  it.each([
    ["is warned of", 'endpoint: "0.0.0.0:9464"', 1],
    ["is not warned of when it asks who is there", `endpoint: "[::]:9464", ${auth}`, 0],
    ["is not warned of on this machine", 'endpoint: "127.0.0.1:9464"', 0],
  ])("that shows the page %s", (_, prometheus, count) => {
    const text = `exporters:\n  prometheus: { ${prometheus} }\n`;
    const { warnings } = parseConfig(text, "t.yaml", {});
    expect(warnings).toHaveLength(count);
    if (count) expect(warnings[0]).toMatch(/^t\.yaml:2: anybody in the network may read the page/);
  });
});
