// User properties in MQTT.js's form.

/** Pairs in MQTT.js's form. Without a prototype, so that `__proto__` is a name like any other. */
export function userPropertiesRecord(
  pairs: readonly (readonly [string, string])[],
): Record<string, string | string[]> {
  const record: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    record[name] ??= [];
    record[name].push(value);
  }
  return record;
}
