/**
 * The section `receivers.otlp`, with the Collector's key names where it has the thing.
 * https://github.com/open-telemetry/opentelemetry-collector/tree/main/config
 */
import { z } from "zod";
import { duration, endpoint, size } from "./fields.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const BODY_BYTES_MAX = 1024 ** 3;

/** Connections at one time: some 20 kB each, so 200 MB when all of them are used. */
const connections = z.int().min(1).max(1_000_000).default(10_000);

const tls = z.strictObject({
  /** PEM, with the chain; this and the other files are relative to the configuration file. */
  cert_file: z.string().min(1),
  key_file: z.string().min(1),
  /** With it, only clients with a certificate that this authority has signed are served. */
  client_ca_file: z.string().min(1).optional(),
  min_version: z.enum(["1.2", "1.3"]).default("1.2"),
  /** How often the files are looked at; new connections get the new certificate. */
  reload_interval: duration(100, DAY_MS, "10s"),
});

const bearer = z.strictObject({
  token: z.string().min(1).optional(),
  tokens: z.array(z.string().min(1)).max(1000).default([]),
  /** One token a line. */
  filename: z.string().min(1).optional(),
});

const basic = z.strictObject({
  htpasswd: z.strictObject({
    /** Lines of `user:password`, or `user:{SHA}…` as `htpasswd -s` writes them. */
    file: z.string().min(1).optional(),
    inline: z.string().optional(),
  }),
});

/** Either of them lets a request in. */
export const auth = z.strictObject({ bearer: bearer.optional(), basic: basic.optional() });

/** Which web pages may talk to a server. */
export const cors = z.strictObject({
  /** Origins such as `https://app.example.com`; each may hold one `*`. */
  allowed_origins: z.array(z.string().min(1)).min(1).max(1000),
  /** Beside Accept, Content-Type and Content-Encoding, which always are; `*` for any. */
  allowed_headers: z.array(z.string().min(1)).max(1000).default([]),
  /** Seconds for which a browser need not ask again. */
  max_age: z.int().min(0).max(86_400).default(7200),
});

const http = z.strictObject({
  enabled: z.boolean().default(true),
  endpoint: endpoint("127.0.0.1:4318"),
  /** Before and after inflating. */
  max_request_body_size: size(BODY_BYTES_MAX, "64MiB"),
  read_header_timeout: duration(100, HOUR_MS, "10s"),
  /** For a whole request. */
  read_timeout: duration(100, HOUR_MS, "30s"),
  /** Above the 60 s that load balancers keep an idle connection, so that they close first. */
  idle_timeout: duration(100, DAY_MS, "65s"),
  max_connections: connections,
  /** Older connections are closed after an answer, so that clients spread; 0s: never. */
  max_connection_age: duration(0, 365 * DAY_MS, "0s"),
  cors: cors.optional(),
  tls: tls.optional(),
  auth: auth.optional(),
});

const keepalive = z.strictObject({
  server_parameters: z
    .strictObject({
      /** 0s: for ever. */
      max_connection_idle: duration(0, 365 * DAY_MS, "10m"),
      /** Older connections are told to go (GOAWAY); 0s: never. Varied by a tenth. */
      max_connection_age: duration(0, 365 * DAY_MS, "0s"),
      /** How long the streams of such a connection may take to finish. */
      max_connection_age_grace: duration(100, DAY_MS, "30s"),
      /** Connections of which nothing is heard for so long are pinged. */
      time: duration(100, 365 * DAY_MS, "2h"),
      /** How long the answer to a ping may take. */
      timeout: duration(100, HOUR_MS, "20s"),
    })
    .prefault({}),
});

const grpc = z.strictObject({
  enabled: z.boolean().default(true),
  endpoint: endpoint("127.0.0.1:4317"),
  /** Before and after inflating. */
  max_recv_msg_size: size(BODY_BYTES_MAX, "64MiB"),
  /** Of one connection. */
  max_concurrent_streams: z.int().min(1).max(10_000).default(100),
  /** For a whole message, and for the greeting of a connection. */
  read_timeout: duration(100, HOUR_MS, "30s"),
  max_connections: connections,
  keepalive: keepalive.prefault({}),
  tls: tls.optional(),
  auth: auth.optional(),
});

/** `receivers.otlp`. */
export const otlpReceiver = z.strictObject({
  protocols: z.strictObject({ grpc: grpc.prefault({}), http: http.prefault({}) }).prefault({}),
  /** Bodies that are being received at one time, together, over both protocols. */
  max_inflight_size: size(16 * 1024 ** 3, "512MiB"),
});

/** `receivers.otlp` with its defaults; durations in ms, sizes in bytes. */
export type OtlpReceiverConfig = z.infer<typeof otlpReceiver>;
/** `protocols.http`. */
export type HttpProtocol = OtlpReceiverConfig["protocols"]["http"];
/** `protocols.grpc`. */
export type GrpcProtocol = OtlpReceiverConfig["protocols"]["grpc"];
/** `tls` of a protocol. */
export type TlsConfig = z.infer<typeof tls>;
/** `auth` of a protocol. */
export type AuthConfig = z.infer<typeof auth>;
/** `cors` of HTTP. */
export type CorsConfig = z.infer<typeof cors>;
