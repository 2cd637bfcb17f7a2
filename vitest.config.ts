import { defineConfig } from 'vitest/config';

// The tier is in the file name: x.test.ts is pure and quick; x.int.test.ts starts servers, child processes or worker
// pools; x.acc.test.ts measures accuracy on real scans and phantoms, takes
// minutes, and skips where the data is absent; x.demo.test.ts runs the README's own commands.
const tier = (name: string, include: string[], exclude: string[], testTimeout: number) => ({
  test: { name, include, exclude: ['**/node_modules/**', ...exclude], testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      tier('unit', ['**/*.test.ts'], ['**/*.int.test.ts', '**/*.acc.test.ts', '**/*.demo.test.ts'], 30_000),
      tier('int', ['**/*.int.test.ts'], [], 180_000),
      tier('acc', ['**/*.acc.test.ts'], [], 1_200_000),
      tier('demo', ['**/*.demo.test.ts'], [], 900_000),
    ],
  },
});
