// Composition root of `cdk`: the app and its one stack.
import { App } from 'aws-cdk-lib';
import { CausewayStack } from './stack.ts';

const app = new App();
new CausewayStack(app, 'Causeway');
app.synth();
