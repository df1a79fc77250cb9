// MQTT 5 PUBLISH properties, between MQTT.js's form and the message's.
import type { IPublishPacket } from 'mqtt-packet';
import type { MessageProperties } from '../../functions/contract/message.ts';

type PublishProperties = NonNullable<IPublishPacket['properties']>;

/** The properties that a message keeps; undefined where there is none of them. */
export function messageProperties(given: PublishProperties): MessageProperties | undefined {
  const { contentType, responseTopic, correlationData, userProperties, messageExpiryInterval } =
    given;
  const properties: MessageProperties = {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(userProperties !== undefined && { userProperties: pairsOf(userProperties) }),
    ...(messageExpiryInterval !== undefined && { messageExpirySeconds: messageExpiryInterval }),
    ...(given.payloadFormatIndicator !== undefined && {
      payloadFormat: given.payloadFormatIndicator ? 1 : 0,
    }),
  };
  return Object.keys(properties).length === 0 ? undefined : properties;
}

/** MQTT.js groups values by name; the order between names that repeat is lost there. */
function pairsOf(userProperties: Record<string, string | string[]>): [string, string][] {
  return Object.entries(userProperties).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value): [string, string] => [name, value]),
  );
}

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
