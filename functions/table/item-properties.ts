// The MQTT 5 properties of a message as a map attribute of its item, and back.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { MessageProperties } from '../contract/message.ts';

type Item = Record<string, AttributeValue>;

export function propertiesItem(properties: MessageProperties): Item {
  const {
    contentType,
    responseTopic,
    correlationData,
    userProperties,
    messageExpirySeconds,
    payloadFormat,
  } = properties;
  return {
    ...(contentType !== undefined && { contentType: { S: contentType } }),
    ...(responseTopic !== undefined && { responseTopic: { S: responseTopic } }),
    ...(correlationData !== undefined && { correlationData: { B: correlationData } }),
    ...(userProperties !== undefined && {
      userProperties: {
        L: userProperties.map((pair) => ({ L: pair.map((text) => ({ S: text })) })),
      },
    }),
    ...(messageExpirySeconds !== undefined && {
      messageExpirySeconds: { N: String(messageExpirySeconds) },
    }),
    ...(payloadFormat !== undefined && { payloadFormat: { N: String(payloadFormat) } }),
  };
}

export function propertiesOf(item: Item): MessageProperties {
  const {
    contentType,
    responseTopic,
    correlationData,
    userProperties,
    messageExpirySeconds,
    payloadFormat,
  } = item;
  return {
    ...(contentType?.S !== undefined && { contentType: contentType.S }),
    ...(responseTopic?.S !== undefined && { responseTopic: responseTopic.S }),
    ...(correlationData?.B !== undefined && { correlationData: correlationData.B }),
    ...(userProperties?.L !== undefined && {
      userProperties: userProperties.L.map(
        ({ L: pair }) => [pair?.[0]?.S ?? '', pair?.[1]?.S ?? ''] as const,
      ),
    }),
    ...(messageExpirySeconds?.N !== undefined && {
      messageExpirySeconds: Number(messageExpirySeconds.N),
    }),
    ...(payloadFormat?.N !== undefined && { payloadFormat: payloadFormat.N === '1' ? 1 : 0 }),
  };
}
