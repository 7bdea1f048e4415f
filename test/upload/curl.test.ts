// With the real program: curl must be on the machine, these tests fail without it.
import {execFile} from 'node:child_process';
import {readdir, readFile, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes, uploadServer} from '../helpers/upload.ts';

const run = promisify(execFile);

async function curl(folder: string, ...parameters: string[]): Promise<string> {
	const {stdout} = await run('curl', ['--insecure', '--silent', '--show-error', '--fail', ...parameters], {
		cwd: folder,
	});
	return stdout;
}

beforeAll(async () => {
	await run('curl', ['--version']).catch(cause => {
		throw new Error('These tests need curl on the PATH', {cause});
	});
});

test('curl fetches the whole, a part, and the rest of what it has', async () => {
	const {catalog, port} = await uploadServer();
	const folder = await tempFolder();
	const bytes = someBytes(3_000_001);
	const {content} = await catalog.write('1.bin', bytes);
	const url = `https://127.0.0.1:${port}/v1/files/${content}`;
	const file = (name: string) => readFile(path.join(folder, name));
	await curl(folder, '-o', 'whole', url);
	expect((await file('whole')).equals(bytes)).toBe(true);
	await curl(folder, '-r', '1000-1999', '-o', 'part', url);
	expect((await file('part')).equals(bytes.subarray(1000, 2000))).toBe(true);
	await curl(folder, '-r', '-500', '-o', 'end', url);
	expect((await file('end')).equals(bytes.subarray(-500))).toBe(true);
	await writeFile(path.join(folder, 'begun'), bytes.subarray(0, 1_234_567));
	await curl(folder, '-C', '-', '-o', 'begun', url);
	expect((await file('begun')).equals(bytes)).toBe(true);
	expect(await curl(folder, '-I', url)).toMatch(/^content-length: 3000001\r$/im);
});

test('curl saves files under their own names, none of which leads elsewhere', async () => {
	const {catalog, port} = await uploadServer();
	const names = {
		'Ünïcode – 文件 (1).txt': 'Ünïcode – 文件 (1).txt',
		'a "quoted" name; x=y.txt': 'a _quoted_ name; x=y.txt',
		'.bashrc': '_bashrc',
		'..\\..\\evil.txt': '___.._evil.txt',
		'escape\u001b[31m.txt': 'escape_[31m.txt',
		'gpj.\u202eexe.txt': 'gpj._exe.txt',
		'100%.txt': '100%.txt',
	};
	for (const [name, saved] of Object.entries(names)) {
		const folder = await tempFolder();
		const {content} = await catalog.write(name, name);
		await curl(folder, '-OJ', `https://127.0.0.1:${port}/v1/files/${content}`);
		expect(await readdir(folder)).toEqual([saved]);
		await curl(folder, '-I', `https://127.0.0.1:${port}/v1/files/${content}`);
		expect((await stat(path.join(folder, saved))).size).toBe(Buffer.byteLength(name));
	}
});
