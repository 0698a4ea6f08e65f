import { ROLE } from "../otlp/wanted-keys.js";

/** What people call the signal of a role, such as `feature.wind`. */
export function signalName(role: number, suffix: string): string {
  if (role === ROLE.callSignal || role === ROLE.declaredSignal) return suffix;
  if (role === ROLE.feature) return `feature.${suffix}`;
  if (role === ROLE.predictionScore) return `prediction.scores.${suffix}`;
  if (role === ROLE.predictionClass) return "prediction.class";
  return role === ROLE.predictionValue ? "prediction.value" : "prediction.confidence";
}
