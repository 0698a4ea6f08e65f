import { describe, expect, it } from "vitest";
import { checkMetricsRequest } from "../src/otlp/request-check.ts";
import { everyMetric } from "./metrics-requests.ts";
import { encodeSpans, LOGS_BODY, START_MS } from "./running-receiver.ts";

const LENGTH = 2;
const FIXED64 = 1;

/** A field with a length. */
function field(number: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const lengths: number[] = [];
  for (let rest = body.length; ; rest >>>= 7) {
    lengths.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.of((number << 3) | LENGTH, ...lengths), body]);
}

/** A request whose one metric holds these bytes. */
function inMetric(...content: readonly Uint8Array[]): Buffer {
  return field(1, field(2, field(2, ...content)));
}

const histogram = (...point: readonly Uint8Array[]) => inMetric(field(9, field(1, ...point)));
const eightBytes = Buffer.alloc(8);

/** Values in values. */
function nested(depth: number): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) value = field(5, field(1, value));
  return inMetric(field(12, field(2, value)));
}

describe("the check of metrics", () => {
  it("accepts an empty request, every kind of metric with every field, and unknown fields", () => {
    const unknown = Buffer.concat([field(15, Buffer.from("?")), everyMetric()]);
    for (const body of [Buffer.alloc(0), everyMetric(), unknown]) {
      expect(checkMetricsRequest(body)).toBeUndefined();
    }
  });

  it("accepts repeated numbers packed and one by one", () => {
    const single = Buffer.concat([Buffer.of((6 << 3) | FIXED64), eightBytes]);
    expect(checkMetricsRequest(histogram(field(6, eightBytes, eightBytes)))).toBeUndefined();
    expect(checkMetricsRequest(histogram(single, single))).toBeUndefined();
  });

  it("refuses a request that ends anywhere but between the fields of its top level", () => {
    const whole = everyMetric();
    for (let length = 1; length < whole.length; length++) {
      expect(checkMetricsRequest(whole.subarray(0, length)), `${length} bytes`).toBeDefined();
    }
  });

  it.each([
    ["text", Buffer.from("hello, world"), /group ends that has not begun/],
    ["traces", encodeSpans([{ atMs: START_MS, attributes: {} }]), /cut off/],
    ["logs", LOGS_BODY, /Metric's field 1 has the wire type 1/],
    ["packed numbers cut off", histogram(field(6, eightBytes, Buffer.of(1))), /cut off/],
    ["a number in place of a message", inMetric(Buffer.of(5 << 3, 1)), /Metric's field 5/],
    ["a message in place of a number", inMetric(field(7, field(2))), /Sum's field 2/],
    ["values nested without end", nested(5000), /nested too deeply/],
  ])("refuses %s, and says why", (_, body, message) => {
    expect(checkMetricsRequest(body)?.message).toMatch(message);
  });
});
