// The stack runs from its template, with the bridge in the image that its Dockerfile makes.
import { expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../../support/brokers.ts';
import { buildImage, hasImages, type Image, inContainer } from './rig/container.ts';
import { describeDeployment } from './scenario.ts';

const needsImages = '(needs podman and the base image: test/infra/template/base-image.sh)';
const missing = [hasImages ? '' : needsImages, hasMosquitto ? '' : needsMosquitto].join(' ');
let image: Image | undefined;

describeDeployment(`from the template, with the image ${missing}`.trim(), {
  isAvailable: hasImages && hasMosquitto,
  startTimeoutMs: 600_000,
  async runnerOf({ context, dockerfile }, files) {
    image = await buildImage(context, dockerfile);
    return inContainer(image, files);
  },
  more(deployment) {
    test('the image adds little to its base', () => {
      const megabytes = (image?.addedBytes ?? Number.NaN) / 1024 / 1024;
      console.log(`the image adds ${megabytes.toFixed(1)} MB to its base`);
      expect(megabytes).toBeGreaterThan(0.5);
      expect(megabytes).toBeLessThan(60);
    });

    test('it holds the bundle and no dependencies, cannot be written to, and runs as nobody', async () => {
      const script = `
        const { readdirSync, writeFileSync } = require('node:fs');
        const strange = readdirSync('.').filter((name) => !/\\.mjs(\\.map)?$/.test(name));
        if (strange.length > 0) process.exit(2);
        if (process.getuid() !== 65532) process.exit(3);
        try { writeFileSync('x', ''); process.exit(4); } catch (error) { process.exit(error.code === 'EROFS' ? 0 : 5); }
      `;
      const command = ['/nodejs/bin/node', '-e', script];
      expect(await deployment().task().execute(command)).toBe(0);
    });
  },
});
