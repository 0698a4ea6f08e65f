/** Frameworks that keep the current step elsewhere than in OpenTelemetry's context. */
import type { Context } from "@opentelemetry/api";
import { activeContext } from "../host-api.js";

type Enclose = (active: Context) => Context;

const frameworks: Enclose[] = [];

/** Asks `enclose` for the context of every call of a model. */
export function encloseCalls(enclose: Enclose): void {
  frameworks.push(enclose);
}

/** The context that a call of a model is made in. */
export function callContext(): Context {
  let context = activeContext();
  for (const enclose of frameworks) context = enclose(context);
  return context;
}
