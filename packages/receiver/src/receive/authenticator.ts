/**
 * Who may send: bearer tokens and user names with passwords.
 * https://www.rfc-editor.org/rfc/rfc6750 and https://www.rfc-editor.org/rfc/rfc7617
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { AuthConfig } from "../config/otlp-receiver-schema.js";
import type { Logger } from "../logger.js";
import { CredentialError, readCredential, watchCredentials } from "./credential-files.js";

/** What is compared is keyed anew in every process, and as long for every secret. */
const KEY = randomBytes(32);
/** Headers beyond it hold no credential of ours, and hashing them would cost. */
const HEADER_CHARACTERS_MAX = 8192;

/** As often as TLS files are looked at by default. */
const WATCH_INTERVAL_MS = 10_000;

/** How a secret is written where it is known. */
type Form = "bearer" | "plain" | "sha";

/** What is known of a secret, so that the secret itself need not be kept. */
interface Known {
  readonly form: Form;
  readonly digest: Buffer;
}

/** What a request presents, in every form that it could be known in. */
type Presented = Readonly<Record<Form, Buffer>>;

/** Equal to nothing that is known. */
const NOTHING = randomBytes(32);
const NOBODY: Presented = { bearer: NOTHING, plain: NOTHING, sha: NOTHING };

/** Compares a request's Authorization with what the configuration allows. */
export class Authenticator {
  /** For `WWW-Authenticate`. */
  readonly challenges: readonly string[];
  private readonly files: readonly string[];
  private readonly auth: AuthConfig;
  private readonly key: string;
  private known: readonly Known[];

  /**
   * @param key where the configuration names it, for complaints
   * @throws CredentialError when a file cannot be read, or holds nothing that can be used
   */
  constructor(auth: AuthConfig, key: string) {
    this.auth = auth;
    this.key = key;
    const challenges = [];
    if (auth.bearer) challenges.push("Bearer");
    if (auth.basic) challenges.push('Basic realm="tidemark", charset="UTF-8"');
    this.challenges = challenges;
    const named = [auth.bearer?.filename, auth.basic?.htpasswd.file];
    this.files = named.filter((file) => file !== undefined);
    this.known = this.read();
  }

  /**
   * Looks at the files, and takes up what is new in them; a new one that cannot be used is logged,
   * and what was known stays known.
   * @returns what ends it
   */
  watch(logger: Logger): () => void {
    return watchCredentials(this.files, WATCH_INTERVAL_MS, () => {
      try {
        this.known = this.read();
        logger.info("new credentials are in use", { key: this.key });
      } catch (error) {
        logger.error("new credentials cannot be used; the old ones stay", { key: this.key, error });
      }
    });
  }

  /** Whether the request may be served. Every secret is compared: time tells nothing. */
  admits(authorization: string | undefined): boolean {
    const presented = present(authorization ?? "");
    let admitted = false;
    for (const { form, digest } of this.known) {
      if (timingSafeEqual(digest, presented[form])) admitted = true;
    }
    return admitted;
  }

  private read(): Known[] {
    const { bearer, basic } = this.auth;
    const tokens = bearer ? readTokens(bearer, `${this.key}.bearer`) : [];
    const users = basic ? readUsers(basic.htpasswd, `${this.key}.basic.htpasswd`) : [];
    const known = [...tokens, ...users];
    if (known.length > 0) return known;
    throw new CredentialError(
      `${this.key}: names nobody who may send; give bearer.token or basic.htpasswd`,
    );
  }
}

/** None where the configuration asks for none. @throws CredentialError as its constructor does */
export function createAuthenticator(
  auth: AuthConfig | undefined,
  key: string,
): Authenticator | undefined {
  return auth === undefined ? undefined : new Authenticator(auth, key);
}

function present(authorization: string): Presented {
  if (authorization.length > HEADER_CHARACTERS_MAX) return NOBODY;
  const [, scheme = "", secret = ""] = /^(bearer|basic) +(.+)$/i.exec(authorization) ?? [];
  if (scheme === "") return NOBODY;
  if (scheme.toLowerCase() === "bearer") return { ...NOBODY, bearer: hash(secret) };
  const pair = Buffer.from(secret, "base64").toString("utf8");
  return { ...NOBODY, plain: hash(pair), sha: hash(withShaPassword(pair)) };
}

function readTokens(bearer: NonNullable<AuthConfig["bearer"]>, key: string): Known[] {
  const { token, tokens, filename } = bearer;
  const inFile = filename === undefined ? "" : readCredential(`${key}.filename`, filename);
  const all = [...tokens, ...linesOf(inFile)];
  if (token !== undefined) all.push(token);
  return all.map((text) => ({ form: "bearer", digest: hash(text) }));
}

function readUsers(
  { file, inline = "" }: NonNullable<AuthConfig["basic"]>["htpasswd"],
  key: string,
): Known[] {
  const given = linesOf(inline).map((line) => knownUser(line, `${key}.inline`));
  if (file === undefined) return given;
  const lines = linesOf(readCredential(`${key}.file`, file));
  return [...given, ...lines.map((line) => knownUser(line, `${key}.file: ${file}`))];
}

function knownUser(line: string, place: string): Known {
  const colon = line.indexOf(":");
  const password = line.slice(colon + 1);
  if (colon < 1 || password === "") {
    throw new CredentialError(`${place}: a line is not of the form user:password`);
  }
  if (/^\$(?:2[aby]?|apr1|[156])\$/.test(password)) {
    const user = line.slice(0, colon);
    throw new CredentialError(
      `${place}: the password of ${user} is hashed in a way that is not supported; ` +
        "write it plainly, or hash it with htpasswd -s",
    );
  }
  return { form: password.startsWith("{SHA}") ? "sha" : "plain", digest: hash(line) };
}

/** `user:password` as `htpasswd -s` writes it. */
function withShaPassword(pair: string): string {
  const colon = pair.indexOf(":");
  const digest = createHash("sha1")
    .update(pair.slice(colon + 1))
    .digest("base64");
  return `${pair.slice(0, colon)}:{SHA}${digest}`;
}

function hash(text: string): Buffer {
  return createHmac("sha256", KEY).update(text).digest();
}

/** Lines with something on them that are no comments. */
function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
