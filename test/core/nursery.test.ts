import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

test('V8 knows the flags that are set while it runs', () => {
	const module = fileURLToPath(new URL('../../source/core/nursery.ts', import.meta.url));
	const program = `
		const nursery = await import(${JSON.stringify(module)});
		nursery.clearOften();
		nursery.keepNurserySmall();
		for (let at = 0; at < 100; at++) new Array(100_000).fill({at});
		console.log('done');
	`;
	const {stdout, stderr, status} = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
		encoding: 'utf8',
	});
	expect(stderr).not.toContain('unrecognized flag');
	expect({stdout, status}).toEqual({stdout: 'done\n', status: 0});
});
