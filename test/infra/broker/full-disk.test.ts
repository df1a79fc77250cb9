// A store that cannot be written: clients are refused with the word for it, and served again once it can.
import { expect, test } from 'vitest';
import { startBroker } from '../../../infra/broker/broker.ts';
import { canMount, mountSmallDisk } from '../../support/small-disk.ts';
import { until } from '../../support/wait.ts';
import { closeAfterTest, connect } from './started.ts';

const needsRoot = canMount ? '' : '(needs root on Linux, to mount a small disk)';

test.skipIf(!canMount)(
  `a full disk refuses with 3, or 0x97 on MQTT 5 ${needsRoot}`.trim(),
  async () => {
    const disk = mountSmallDisk(16);
    const broker = await startBroker({ port: 0, folder: `${disk.folder}/broker` });
    closeAfterTest(() => broker.close());
    const answer = async (protocolVersion: 4 | 5) => {
      const options = { protocolVersion, clean: false, clientId: `client-${protocolVersion}` };
      const client = await connect(broker, options).catch((error: { code: unknown }) => error);
      if (!('connected' in client)) return client.code;
      await client.endAsync(true);
      return 'connected';
    };
    expect([await answer(4), await answer(5)]).toEqual(['connected', 'connected']);
    // All there is.
    expect(() => disk.fill(16 * 1024 * 1024)).toThrow('ENOSPC');
    await until(async () => (await answer(5)) === 0x97);
    expect(broker.trouble()).toBeDefined();
    expect([await answer(4), await answer(5)]).toEqual([3, 0x97]);
    disk.free();
    await until(() => broker.trouble() === undefined);
    expect([await answer(4), await answer(5)]).toEqual(['connected', 'connected']);
  },
);
