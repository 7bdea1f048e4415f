import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

test.runIf(process.platform === 'linux')("V8's helpers give way, and nobody else does", () => {
	const module = fileURLToPath(new URL('../../source/core/thread-priority.ts', import.meta.url));
	const program = `
		import {readdirSync, readFileSync} from 'node:fs';
		const {helpersGiveWay} = await import(${JSON.stringify(module)});
		const count = helpersGiveWay(19);
		const threads = readdirSync('/proc/self/task').map(id => {
			const stat = readFileSync('/proc/self/task/' + id + '/stat', 'latin1');
			// The 19th field: proc_pid_stat(5).
			const nice = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
			return {isHelper: stat.includes('(V8Worker)'), nice};
		});
		console.log(JSON.stringify({count, threads}));
	`;
	const {stdout, status} = spawnSync(process.execPath, ['--input-type=module', '-e', program], {encoding: 'utf8'});
	expect(status).toBe(0);
	const {count, threads} = JSON.parse(stdout) as {count: number; threads: {isHelper: boolean; nice: number}[]};
	const helpers = threads.filter(({isHelper}) => isHelper);
	const usual = threads.find(({isHelper}) => !isHelper)?.nice ?? 0;
	// Node 22 does not name its threads.
	if (Number(process.versions.node.split('.')[0]) >= 24) expect(count).toBeGreaterThan(0);
	expect(helpers.map(({nice}) => nice)).toEqual(Array(count).fill(19));
	for (const {isHelper, nice} of threads) if (!isHelper) expect(nice).toBe(usual);
});
