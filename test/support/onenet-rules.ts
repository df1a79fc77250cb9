// What OneNET takes and what it ends the connection on, as its documentation has it; none of it from our profile.
// MQTTS suite: pages "协议规范", "使用限制", "Topic 簇"; older platform: "MQTT接入说明".
import type { IConnectPacket, IPublishPacket } from 'mqtt-packet';
import { tokenRefusal } from './onenet-token-check.ts';

export interface OneNetPlatform {
  /** With tokens, or the older one with API keys. */
  readonly platform: 'token' | 'device';
  readonly productId: string;
  /** The product's key; on the older platform its API key. */
  productKey: string;
  /** The devices that exist: names, on the older platform ids, with their keys or authentication strings. */
  readonly devices: Record<string, string>;
  /**
   * Devices that may use the topics of all devices of the product. OneNET's own cloud has none: commands come from its
   * HTTP API there. It stands for an installation that lets a back end do so.
   */
  readonly backEnds?: readonly string[];
  /**
   * Whether it keeps sessions, and delivers at QoS 1. The MQTTS suite does neither: it ends the connection on a clean
   * session of 0, and grants QoS 0. The older platform does.
   */
  readonly keepsSessions?: boolean;
}

export type ConnectVerdict =
  | { readonly kind: 'accepted'; readonly expiresAtSeconds: number | undefined }
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  | { readonly kind: 'closed'; readonly reason: string };

const refused = (code: number, reason: string): ConnectVerdict => ({
  kind: 'refused',
  code,
  reason,
});
const closed = (reason: string): ConnectVerdict => ({ kind: 'closed', reason });

export function connectVerdict(of: OneNetPlatform, packet: IConnectPacket): ConnectVerdict {
  const { clientId, username, password, clean, keepalive = 0, will } = packet;
  if (packet.protocolVersion !== 4) return refused(1, 'version');
  if (!clientId || !username || password === undefined) return closed('identity is missing');
  const isOlder = of.platform === 'device';
  if (keepalive > (isOlder ? 2000 : 1800) || keepalive < 10) return closed('keep-alive');
  if (!isOlder && will !== undefined) return closed('will');
  if (!isOlder && !clean && !of.keepsSessions) return closed('clean session');
  if (username !== of.productId) return refused(4, 'product');
  const own = Object.hasOwn(of.devices, clientId) ? of.devices[clientId] : undefined;
  if (own === undefined) return refused(2, 'device');
  const shown = password.toString();
  if (isOlder)
    return shown === own || shown === of.productKey
      ? { kind: 'accepted', expiresAtSeconds: undefined }
      : refused(4, 'password');
  const keys = new Map([
    [`products/${of.productId}`, of.productKey],
    [`products/${of.productId}/devices/${clientId}`, own],
  ]);
  const reason = tokenRefusal(shown, { keys, nowSeconds: Date.now() / 1000 });
  if (reason !== undefined) return refused(5, `token: ${reason}`);
  return { kind: 'accepted', expiresAtSeconds: Number(/&et=(\d+)/.exec(shown)?.[1]) };
}

const maxPayloadBytes = 256 * 1024;

/** What a device may publish of its own. */
const published = [
  /^dp\/post\/json$/,
  /^cmd\/response\/[^/]+$/,
  /^thing\/(property|event)\/post$/,
  /^thing\/property\/(set|get)_reply$/,
  /^thing\/service\/[^/]+\/invoke_reply$/,
];

/** Why the connection ends on a publish, or undefined. */
export function publishFault(of: OneNetPlatform, clientId: string, packet: IPublishPacket) {
  const { topic, qos, retain, payload } = packet;
  if (qos > 1) return 'QoS 2';
  if (Buffer.byteLength(payload) > maxPayloadBytes) return 'payload';
  if (topic.split('/').length > 8) return 'levels';
  if (of.platform === 'device')
    return topic.startsWith('$') && topic !== '$dp' ? 'topic' : undefined;
  if (retain) return 'retain';
  if (!/^[$A-Za-z0-9/_-]+$/.test(topic)) return 'characters';
  const [root, product, device = '', ...rest] = topic.split('/');
  if (root !== '$sys' || product !== of.productId) return 'topic';
  if (of.backEnds?.includes(clientId)) return undefined;
  if (device !== clientId) return "another device's topic";
  return published.some((form) => form.test(rest.join('/'))) ? undefined : 'topic';
}

/** Why a subscription is refused, or undefined. */
export function subscribeFault(of: OneNetPlatform, clientId: string, filter: string) {
  if (Buffer.byteLength(filter) > 512 || filter.split('/').length > 8) return 'filter';
  if (of.platform === 'device') return filter.startsWith('$') ? 'system topic' : undefined;
  const [root, product, device = '', ...rest] = filter.split('/');
  if (root !== '$sys' || product !== of.productId) return 'topic';
  if (of.backEnds?.includes(clientId)) return undefined;
  if (device !== clientId) return "another device's topic";
  // Wildcards from the fifth level on.
  return /[+#]/.test(rest[0] ?? '#') ? 'wildcard' : undefined;
}
