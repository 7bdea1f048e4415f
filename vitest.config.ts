import {availableParallelism} from 'node:os';
import {defineConfig} from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.{ts,tsx}'],
		// Real processes, sockets and terminals on a busy two-core machine: tests wait for conditions, and this is
		// only how long a condition may take before the test is called hung.
		testTimeout: 180_000,
		hookTimeout: 180_000,
		expect: {poll: {timeout: 60_000}},
		setupFiles: ['test/helpers/fixed-seed.ts'],
		pool: 'forks',
		// They mostly wait for other processes: one fewer than the cores would leave two cores idle most of the time.
		maxWorkers: Math.max(3, availableParallelism() - 1),
		// No test talks to the machine's own network, or takes a server for its own that runs there.
		env: {NODE_ENV: 'test', P2P_TUI_MDNS: 'off'},
	},
});
