// The table at the end of `npm run attacks`: what was tried, and what held.
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class AttackTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const attacks = modules
      .filter(({ project }) => project.name === 'attacks')
      .flatMap((module) => [...module.children.allTests()].map((test) => line(module, test)));
    if (attacks.length === 0) return;
    console.log(['', '| on | tried | held |', '| --- | --- | --- |', ...attacks, ''].join('\n'));
  }
}

function line(module: TestModule, test: TestCase): string {
  const on = relative('test/attacks', module.moduleId).replace(/\.test\.ts$/, '');
  return `| ${[on, test.fullName, heldText(test)].map(cell).join(' | ')} |`;
}

function heldText(test: TestCase): string {
  const { state, errors } = test.result();
  if (state === 'passed') return test.meta().held ?? 'a test that is no attack';
  if (state === 'failed') return `NOT HELD: ${errors?.[0]?.message ?? ''}`;
  return 'not tried';
}

const cell = (text: string) => (text.split('\n', 1)[0] ?? '').replaceAll('|', '\\|');
