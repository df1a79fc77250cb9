// Composition root of `cdk`: causeway.config.ts → checked deployment → its stack, checked by rules → what it costs.
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import deployment from '../../causeway.config.ts';
import { faultText } from '../../functions/contract/parse.ts';
import { parseDeployment } from '../config/config.ts';
import { costReport } from './cost.ts';
import { CausewayStack } from './stack.ts';

const parsed = parseDeployment(deployment);
if (!parsed.ok) {
  const lines = parsed.faults.map((fault) => `causeway.config.ts: ${faultText(fault)}`);
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
new CausewayStack(app, parsed.value.stackName, {
  deployment: parsed.value,
  // A VPC can only be looked up in a given account and region; without one, the template fits any.
  ...(parsed.value.bridge.vpcId !== undefined &&
    account !== undefined &&
    region !== undefined && { env: { account, region } }),
});
app.synth();
// On standard error: standard output is the template's.
process.stderr.write(costReport(parsed.value));
if (/(^|\.)example\.(com|net|org)$/.test(new URL(parsed.value.broker.url).hostname)) {
  process.stderr.write(
    'causeway.config.ts: broker.url is the example: set it before you deploy\n\n',
  );
}
