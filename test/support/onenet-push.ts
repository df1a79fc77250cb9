// OneNET's side of its HTTP push: signs and encrypts as its documentation and its own receivers say.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

export const pushToken = 'a-token-of-the-push';
export const aesKey = 'abcdefghijklmnop';
/** As the older platform shows it: 32 bytes, without the padding of base64. */
export const olderAesKey = Buffer.alloc(32, 9).toString('base64').slice(0, 43);

export function signatureOf(text: string, nonce: string, token = pushToken): string {
  return createHash('md5').update(`${token}${nonce}${text}`).digest('base64');
}

/** The query of a validation. */
export function validation(msg: string, nonce = 'C1z3?giR', token = pushToken): string {
  return new URLSearchParams({ msg, nonce, signature: signatureOf(msg, nonce, token) }).toString();
}

/** A body of the newer platform: the message is text. */
export function pushBody(msg: unknown, nonce = 'O9JpI(1o', token = pushToken): string {
  const text = typeof msg === 'string' ? msg : JSON.stringify(msg);
  return JSON.stringify({ msg: text, nonce, signature: signatureOf(text, nonce, token), id: '1' });
}

/** A body of the older platform: the message is JSON in JSON, signed as it stands there. */
export function olderBody(msg: string, nonce = 'C1z3?giR', token = pushToken): string {
  return `{"msg":${msg},"msg_signature":"${signatureOf(msg, nonce, token)}","nonce":"${nonce}"}`;
}

/** A text encrypted as the newer platform does. */
export function encrypted(text: string, key = aesKey): string {
  const cipher = createCipheriv('aes-128-cbc', key, key);
  return cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
}

/** A body of the older platform, encrypted: 16 random bytes and the length stand before the message. */
export function olderEncryptedBody(msg: string, nonce = 'C1z3?giR'): string {
  const key = Buffer.from(`${olderAesKey}=`, 'base64');
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(msg));
  const bytes = [randomBytes(16), length, Buffer.from(msg)].map((part) => cipher.update(part));
  const text = Buffer.concat([...bytes, cipher.final()]).toString('base64');
  return JSON.stringify({ enc_msg: text, msg_signature: signatureOf(text, nonce), nonce });
}

/** Properties as the platform pushes them. */
export function properties(timeMs: number, value: unknown = 21.5) {
  return {
    productId: 'C6z4Zk012B',
    deviceId: 1343759,
    deviceName: 'test01',
    messageType: 'notify',
    notifyType: 'property',
    data: { id: '1631522002438', version: '1.0', params: { celsius: { time: timeMs, value } } },
  };
}
