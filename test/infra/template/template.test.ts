// The stack runs from its template: functions in Lambda's runtime client, the bridge as the Dockerfile builds it.
import { hasMosquitto, needsMosquitto, temporaryFolder } from '../../support/brokers.ts';
import { build } from './rig/image.ts';
import { asProcess } from './rig/task.ts';
import { describeDeployment } from './scenario.ts';

describeDeployment(`from the template ${hasMosquitto ? '' : needsMosquitto}`.trim(), {
  isAvailable: hasMosquitto,
  runnerOf: ({ context, dockerfile }) =>
    asProcess(build(context, dockerfile, temporaryFolder('image'))),
});
