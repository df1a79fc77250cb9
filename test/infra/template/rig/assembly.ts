// What a synth has left: a template, and where the files are that it names.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});

const templateSchema = z.object({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});

const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
  dockerImages: z.record(
    z.string(),
    z.object({
      source: z.object({ directory: z.string(), dockerFile: z.string().default('Dockerfile') }),
      destinations: z.record(z.string(), z.object({ imageTag: z.string() })),
    }),
  ),
});

export type Template = z.output<typeof templateSchema>;
export type Resource = z.output<typeof resourceSchema>;

export interface Assembly {
  readonly stackName: string;
  readonly template: Template;
  /** Folder of what is published under a key of the bucket for assets. */
  folderOf(objectKey: string): string;
  /** What an image with this tag is built from. */
  imageSource(tag: string): { readonly context: string; readonly dockerfile: string };
}

export function readAssembly(folder: string, stackName: string): Assembly {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const assets = assetsSchema.parse(read(`${stackName}.assets.json`));
  return {
    stackName,
    template: templateSchema.parse(read(`${stackName}.template.json`)),
    folderOf(objectKey) {
      const file = Object.values(assets.files).find(({ destinations }) =>
        Object.values(destinations).some((destination) => destination.objectKey === objectKey),
      );
      if (file === undefined) throw new Error(`no asset is published as ${objectKey}`);
      return join(folder, file.source.path);
    },
    imageSource(tag) {
      const image = Object.values(assets.dockerImages).find(({ destinations }) =>
        Object.values(destinations).some(({ imageTag }) => imageTag === tag),
      );
      if (image === undefined) throw new Error(`no image is published as ${tag}`);
      const { directory, dockerFile } = image.source;
      return { context: join(folder, directory), dockerfile: dockerFile };
    },
  };
}
