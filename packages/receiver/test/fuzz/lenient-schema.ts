/**
 * The schema of a trace request for an oracle that takes strings as they are. The reader looks at
 * UTF-8 only where somebody uses the string, so that a name in Latin-1 does not lose a batch.
 */
import protobuf from "protobufjs";

/** @param request the type as proto3, which verifies all strings; it comes back as proto2 */
export function lenientSchema(request: unknown): protobuf.Type {
  const { name, root } = request as protobuf.Type;
  const { nested = {} } = root.toJSON();
  const types = Object.entries(nested).map(([type, json]) => [
    type,
    { ...json, edition: "proto2" },
  ]);
  return protobuf.Root.fromJSON({ nested: Object.fromEntries(types) }).lookupType(name);
}
