/** An authority of its own for each test, and certificates for 127.0.0.1 that it signs. */
import type { KeyObject } from "node:crypto";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority; each call of `issue` makes one certificate more. */
export function createAuthority(name: string) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authority = { name, publicKey, ca: true };
  const issue = (subject: string): Certificate => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const leaf = { name: subject, publicKey: pair.publicKey, ca: false };
    const key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { cert: certificate(leaf, name, privateKey), key };
  };
  return { cert: certificate(authority, name, privateKey), issue };
}

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = oid(0x55, 0x04, 0x03);
const BASIC_CONSTRAINTS = oid(0x55, 0x1d, 0x13);
const SUBJECT_ALT_NAME = oid(0x55, 0x1d, 0x11);
const TRUE = der(0x01, Buffer.of(0xff));

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function certificate(
  { name, publicKey, ca }: { name: string; publicKey: KeyObject; ca: boolean },
  issuer: string,
  issuerKey: KeyObject,
): string {
  const version = der(0xa0, integer(Buffer.of(2)));
  const serial = integer(Buffer.concat([Buffer.of(1), randomBytes(8)]));
  const validity = sequence(utcTime("200101000000Z"), utcTime("491231235959Z"));
  const address = der(0x87, Buffer.of(127, 0, 0, 1));
  const extensions = ca
    ? sequence(sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))))
    : sequence(sequence(SUBJECT_ALT_NAME, octets(sequence(address))));
  const content = sequence(
    version,
    serial,
    ECDSA_WITH_SHA256,
    distinguishedName(issuer),
    validity,
    distinguishedName(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = sign("sha256", content, issuerKey);
  const bits = der(0x03, Buffer.concat([Buffer.of(0), signature]));
  const base64 = sequence(content, ECDSA_WITH_SHA256, bits).toString("base64");
  const lines = base64.replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...members: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(members));
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function utcTime(text: string): Buffer {
  return der(0x17, Buffer.from(text));
}

function oid(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}
