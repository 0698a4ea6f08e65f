/** Levels in ascending order of weight. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one line per event: JSON for collectors, or plain text for a terminal. */
export class Logger {
  private lowest: number;
  private readonly plain: boolean;
  private readonly write: (line: string) => void;

  constructor(level: LogLevel, plain: boolean, write: (line: string) => void) {
    this.lowest = LOG_LEVELS.indexOf(level);
    this.plain = plain;
    this.write = write;
  }

  /** Leaves out events of less weight from now on. */
  useLevel(level: LogLevel): void {
    this.lowest = LOG_LEVELS.indexOf(level);
  }

  debug(message: string, fields: Record<string, unknown> = {}): void {
    this.log("debug", message, fields);
  }

  info(message: string, fields: Record<string, unknown> = {}): void {
    this.log("info", message, fields);
  }

  warn(message: string, fields: Record<string, unknown> = {}): void {
    this.log("warn", message, fields);
  }

  error(message: string, fields: Record<string, unknown> = {}): void {
    this.log("error", message, fields);
  }

  private log(level: LogLevel, message: string, fields: Record<string, unknown>): void {
    if (LOG_LEVELS.indexOf(level) < this.lowest) return;
    const time = new Date().toISOString();
    if (!this.plain) {
      this.write(`${JSON.stringify({ time, level, message, ...fields }, printable)}\n`);
      return;
    }
    const details = Object.entries(fields).map(([key, value]) => `${key}=${plainValue(value)}`);
    this.write(`${[time.slice(11, 19), level.padEnd(5), message, ...details].join(" ")}\n`);
  }
}

function printable(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}

function plainValue(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === "string" ? value : JSON.stringify(value);
}
