// The image that runs all of npm start: built by podman, and used as a container without rights on a file system that
// cannot be written to, but for its data.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import mqtt from 'mqtt';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { writeImageFolder } from '../../../infra/bundle/image-folder.ts';
import { freePort } from '../../support/ports.ts';
import { until } from '../../support/wait.ts';
import { type Child, startChild } from '../template/rig/child.ts';
import { buildImage, hasImages, type Image, podman } from '../template/rig/container.ts';

const needs = hasImages
  ? ''
  : ' (needs podman and the base image: test/infra/template/base-image.sh)';
const token = 'a-token-of-sixteen-and-more';

describe.skipIf(!hasImages)(`the image of npm start${needs}`, () => {
  let image: Image;
  beforeAll(async () => {
    image = await buildImage(await writeImageFolder(), 'Dockerfile');
  }, 600_000);

  function run(environment: Readonly<Record<string, string>>): Child {
    const name = `causeway-${randomUUID()}`;
    const child = startChild(
      'podman',
      [
        ...[...podman, 'run', '--rm', `--name=${name}`, '--network=host', '--cap-drop=all'],
        ...['--read-only', '--read-only-tmpfs=false', '--tmpfs=/tmp', `--volume=${name}:/data`],
        ...['--ulimit=nofile=4096:4096', '--ulimit=nproc=4096:4096'],
        ...Object.entries(environment).map(([key, value]) => `--env=${key}=${value}`),
        image.id,
      ],
      { environment: process.env },
    );
    onTestFinished(async () => {
      child.process.kill('SIGTERM');
      await child.exited;
      execFileSync('podman', ['volume', 'rm', '--force', name]);
    });
    return child;
  }

  test('without a token it does not listen for other machines', async () => {
    const child = run({});
    expect(await child.exited).toBe(1);
    expect(child.output()).toMatch(/^HOST: .*API_TOKEN/);
  });

  test('it stores what devices publish, serves the console, and ends when it is told to', async () => {
    const [port, mqttPort] = [await freePort(), await freePort()];
    const child = run({
      HOST: '127.0.0.1',
      PORT: String(port),
      MQTT_PORT: String(mqttPort),
      API_TOKEN: token,
    });
    const ended = child.exited.then(() => 'ended');
    const running = until(() => child.output().includes('Publish to a device'));
    expect(await Promise.race([ended, running]), child.output()).not.toBe('ended');

    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`);
    onTestFinished(() => device.endAsync(true));
    await device.publishAsync('rooms/kitchen', '{"celsius":21.5}', { qos: 1 });
    const url = `http://127.0.0.1:${port}`;
    const stored = await until(async () => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/v1/messages?topic=rooms/kitchen`, { headers });
      const { messages } = (await answer.json()) as { messages: { payload: unknown }[] };
      return messages[0];
    });
    expect(stored.payload).toEqual({ celsius: 21.5 });
    expect(await (await fetch(url)).text()).toContain('<script');

    child.process.kill('SIGTERM');
    expect(await child.exited).toBe(0);
  });

  test('it adds little to its base', () => {
    const megabytes = image.addedBytes / 1024 / 1024;
    console.log(`the image adds ${megabytes.toFixed(1)} MB to its base`);
    expect(megabytes).toBeLessThan(20);
  });
});
