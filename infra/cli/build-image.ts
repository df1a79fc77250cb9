// `npm run build:image`: the folder that `docker build` makes the image of all parts from.
import { relative } from 'node:path';
import { writeImageFolder } from '../bundle/image-folder.ts';

const folder = relative('.', await writeImageFolder());
console.log(`Now: docker build --tag causeway ${folder}`);
