/** A server's certificate, and who may connect; new files are taken up without a restart. */
import type { SecureContextOptions, TlsOptions, Server as TlsServer } from "node:tls";
import { createSecureContext } from "node:tls";
import type { TlsConfig } from "../config/otlp-receiver-schema.js";
import type { Logger } from "../logger.js";
import { CredentialError, readCredential, watchCredentials } from "./credential-files.js";

/** Two round trips, even from the other side of the world and over a poor line, take less. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * What a TLS server is made with. With a client authority, clients must show a certificate of it.
 * @param key where the configuration names it, for complaints
 * @throws CredentialError when a file cannot be read, or does not fit the others
 */
export function tlsOptions(config: TlsConfig, key: string): TlsOptions {
  const mutual = config.client_ca_file !== undefined;
  return {
    ...secureContext(config, key),
    requestCert: mutual,
    rejectUnauthorized: mutual,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
}

/**
 * Looks at the files, and gives the server what is new in them; a new file that cannot be used is
 * logged, and the old one goes on.
 * @returns what ends it
 */
export function reloadTls(
  server: TlsServer,
  config: TlsConfig,
  key: string,
  logger: Logger,
): () => void {
  const { cert_file, key_file, client_ca_file } = config;
  const files = [cert_file, key_file, client_ca_file].filter((file) => file !== undefined);
  return watchCredentials(files, config.reload_interval, () => {
    try {
      server.setSecureContext(secureContext(config, key));
      logger.info("new TLS files are in use", { key });
    } catch (error) {
      logger.error("new TLS files cannot be used; the old ones stay", { key, error });
    }
  });
}

function secureContext(config: TlsConfig, key: string): SecureContextOptions {
  const { client_ca_file: authority, min_version: version } = config;
  const options: SecureContextOptions = {
    cert: readCredential(`${key}.cert_file`, config.cert_file),
    key: readCredential(`${key}.key_file`, config.key_file),
    minVersion: `TLSv${version}`,
  };
  if (authority !== undefined) {
    options.ca = readCredential(`${key}.client_ca_file`, authority);
  }
  try {
    createSecureContext(options);
  } catch (error) {
    const { message } = error as Error;
    throw new CredentialError(`${key}: the files cannot be used (${message}); check each of them`);
  }
  return options;
}
