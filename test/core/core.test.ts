import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {describe, expect, test} from 'vitest';
import {displayText} from '../../source/core/display.ts';
import {diskError, errorCodes, networkError, P2pError, systemCode} from '../../source/core/errors.ts';
import {lockFolder} from '../../source/core/folder-lock.ts';
import {shortBytes, shortDuration} from '../../source/core/format.ts';
import {sharePathProblem} from '../../source/core/share-path.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

describe('displayText', () => {
	test('takes the power out of escapes, bidi overrides and line breaks', () => {
		expect(displayText('a\u001b[31mb\r\n\u202egnp.exe\u0007\u009b2J')).toBe(
			'a\ufffd[31mb\ufffd\ufffd\ufffdgnp.exe\ufffd\ufffd2J',
		);
	});

	test('leaves what people write alone', () => {
		for (const name of ['Crème brûlée.txt', '会议记录.txt', 'שלום.txt', '👩‍👧 family.jpg', 'a b'])
			expect(displayText(name)).toBe(name);
	});

	test('whatever comes in, nothing a terminal obeys comes out', () => {
		fc.assert(
			fc.property(fc.string({unit: 'binary'}), text => {
				const shown = displayText(text);
				expect(shown).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
				expect(shown.isWellFormed()).toBe(true);
				expect(stringWidth(shown)).toBeLessThanOrEqual(shown.length * 2);
			}),
		);
	});
});

describe('sharePathProblem', () => {
	test.each([
		'/etc/passwd',
		'a//b',
		'a/../b',
		'..',
		'.',
		'a/',
		'',
		'a\0b',
		'x'.repeat(256),
		`${'d/'.repeat(200)}f`,
		'\ud800',
	])('finds one in %j', path => {
		expect(sharePathProblem(path)).toBeTypeOf('string');
	});

	test.each(['testing_files/1.txt', 'a/b c/ü', '...', 'a\\b'])('finds none in %j', path => {
		expect(sharePathProblem(path)).toBeUndefined();
	});
});

describe('errors', () => {
	test('every code has an exit code of the command line and an HTTP status', () => {
		for (const [code, {exit, status}] of Object.entries(errorCodes)) {
			expect([1, 2, 3, 4, 5, 6, 130], code).toContain(exit);
			expect(status, code).toBeGreaterThanOrEqual(400);
		}
	});

	test('a system error is found through its causes', () => {
		const inner = Object.assign(new Error('no'), {code: 'ECONNREFUSED'});
		expect(systemCode(new Error('outer', {cause: new AggregateError([inner])}))).toBe('ECONNREFUSED');
		expect(networkError(new Error('x', {cause: inner}), 'Cannot reach a:1').message).toBe(
			'Cannot reach a:1: nothing listens there',
		);
	});

	test('a disk error names what was done and why it failed; others stay as they are', () => {
		const full = diskError(Object.assign(new Error(), {code: 'ENOSPC'}), 'Cannot write x') as P2pError;
		expect(full).toBeInstanceOf(P2pError);
		expect([full.code, full.line]).toEqual([
			'disk-full',
			'Cannot write x: the disk is full. Free some space; what was verified is kept',
		]);
		const bug = new TypeError('bug');
		expect(diskError(bug, 'x')).toBe(bug);
	});
});

test('a listener that throws does not keep the others from hearing, and its error is seen', () => {
	const source = JSON.stringify(new URL('../../source/core/emitter.ts', import.meta.url).href);
	const program = `
		import {Emitter} from ${source};
		process.on('uncaughtException', error => console.log('seen', error.message));
		const emitter = new Emitter();
		emitter.on('a', () => { throw new Error('bug'); });
		const stop = emitter.on('a', n => console.log('heard', n));
		emitter.emit('a', 1);
		stop();
		emitter.emit('b', 2);`;
	const output = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
		encoding: 'utf8',
	});
	expect(output).toBe('heard 1\nseen bug\n');
});

test('columns of sizes and times keep their width', () => {
	fc.assert(fc.property(fc.double({min: 0, max: 1e17, noNaN: true}), bytes => shortBytes(bytes).length <= 5));
	fc.assert(fc.property(fc.double({min: 0, max: 8e6, noNaN: true}), seconds => shortDuration(seconds).length <= 5));
	expect([0, 999, 1000, 999_600, 6.2e9].map(shortBytes)).toEqual(['0B', '999B', '1.0K', '1.0M', '6.2G']);
	expect([8, 76, 7500, 90_000, Number.NaN].map(shortDuration)).toEqual(['8s', '1m16', '2h05', '1d', '—']);
});

test('a data folder belongs to one process, and is free again when that one is killed', async () => {
	const folder = await tempFolder();
	const lock = lockFolder(folder);
	expect(lock).toBeDefined();
	const source = JSON.stringify(new URL('../../source/core/folder-lock.ts', import.meta.url).href);
	const other = (then: string) =>
		execFileSync(
			process.execPath,
			[
				'--no-warnings',
				'--input-type=module',
				'-e',
				`import {lockFolder} from ${source}; const lock = lockFolder(${JSON.stringify(folder)}); console.log(lock ? 'mine' : 'taken'); ${then}`,
			],
			{
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'ignore'],
			},
		);
	expect(other('')).toBe('taken\n');
	lock?.release();
	let killed = '';
	try {
		other("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)");
	} catch (error) {
		killed = (error as {stdout: string}).stdout;
	}
	expect(killed).toBe('mine\n');
	const again = lockFolder(folder);
	expect(again).toBeDefined();
	again?.release();
});
