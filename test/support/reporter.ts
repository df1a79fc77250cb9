// The end of a test run: what was skipped and how to get it, and one line that counts.
import type { Reporter, TestModule } from 'vitest/node';

export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skipped = new Set<string>();
    for (const module of modules) {
      if (module.state() === 'failed' && module.children.size === 0) count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') continue;
        count[state]++;
        if (state === 'skipped')
          skipped.add(test.parent.type === 'suite' ? test.parent.fullName : test.fullName);
      }
    }
    for (const name of skipped) console.log(`skipped: ${name}`);
    if (skipped.size > 0 && process.env['CI'] === 'true') {
      console.log('With CI=true a skipped test is a failure.');
      process.exitCode = 1;
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
