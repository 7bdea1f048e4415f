import {execFile} from 'node:child_process';
import {closeSync, readSync, renameSync, symlinkSync} from 'node:fs';
import {appendFile, chmod, mkdir, rename, rm, symlink, truncate, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {connect, type TLSSocket} from 'node:tls';
import {promisify} from 'node:util';
import {expect, onTestFinished, test} from 'vitest';
import {openChecked} from '../../source/upload/open-checked.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** What an answer that failed says. */
function codeOf(answer: {status: number; body: Buffer}): string {
	return `${answer.status} ${JSON.parse(answer.body.toString()).code}`;
}

test('a file that changed, vanished or cannot be read is not served', async () => {
	const {catalog, port, bugs, events} = await uploadServer();
	const longer = await catalog.write('longer', 'some text');
	const sameSize = await catalog.write('same size', 'other text');
	const gone = await catalog.write('gone', 'a third');
	const folder = await catalog.write('folder', 'a fourth');
	const unreadable = await catalog.write('unreadable', 'a fifth');
	await appendFile(longer.file, '!');
	await writeFile(sameSize.file, 'OTHER TEXT');
	await rm(gone.file);
	await rm(folder.file);
	await mkdir(folder.file);
	const get = async (content: string) => codeOf(await fetchFrom(port, `/v1/files/${content}`));
	expect(await get(longer.content)).toBe('409 changed');
	expect(await get(sameSize.content)).toBe('409 changed');
	expect(await get(gone.content)).toBe('404 not-found');
	expect(await get(folder.content)).toBe('409 changed');
	expect(catalog.changes).toEqual(['share/longer', 'share/same size', 'share/gone', 'share/folder']);
	// Root reads everything.
	if (process.getuid?.() !== 0) {
		await chmod(unreadable.file, 0);
		expect(await get(unreadable.content)).toBe('500 not-readable');
	}
	expect([events, bugs]).toEqual([[], []]);
});

test('another file with the same content is sent when the first is no longer it', async () => {
	const {catalog, port} = await uploadServer();
	const bytes = someBytes(300_000);
	const first = await catalog.write('a/1.bin', bytes);
	await catalog.write('b/1.bin', bytes);
	await appendFile(first.file, 'x');
	const answer = await fetchFrom(port, `/v1/files/${first.content}`);
	expect([answer.status, answer.body.equals(bytes)]).toEqual([200, true]);
	expect(catalog.changes).toEqual(['share/a/1.bin']);
});

test('links that lead out of the share are never followed, whatever they replace', async () => {
	const {catalog, port} = await uploadServer();
	const outside = await tempFolder();
	const secret = path.join(outside, 'secret');
	await writeFile(secret, 'some text');
	const time = new Date(1e12);
	await utimes(secret, time, time);
	const replaced = await catalog.write('plain', 'some text');
	const inFolder = await catalog.write('sub/secret', 'some text');
	await rm(replaced.file);
	await symlink(secret, replaced.file);
	await rename(path.dirname(inFolder.file), `${path.dirname(inFolder.file)}.old`);
	await symlink(outside, path.dirname(inFolder.file));
	// Size and time are right: only the place is wrong.
	expect(codeOf(await fetchFrom(port, `/v1/files/${replaced.content}`))).toBe('404 not-found');
	expect(catalog.changes).toEqual(['share/plain', 'share/sub/secret']);
});

test('a link that is swapped in at any instant leaks nothing', async () => {
	const {catalog} = await uploadServer();
	const outside = await tempFolder();
	const secret = path.join(outside, 'file');
	await writeFile(secret, 'secret bytes');
	await utimes(secret, new Date(1e12), new Date(1e12));
	const served = await catalog.write('sub/file', 'public bytes');
	const folder = path.dirname(served.file);
	symlinkSync(outside, `${folder}.link`);
	let swapping = true;
	const swap = async () => {
		while (swapping) {
			renameSync(folder, `${folder}.real`);
			renameSync(`${folder}.link`, folder);
			await new Promise(resolve => setImmediate(resolve));
			renameSync(folder, `${folder}.link`);
			renameSync(`${folder}.real`, folder);
			await new Promise(resolve => setImmediate(resolve));
		}
	};
	const swapper = swap();
	let opened = 0;
	let refused = 0;
	for (let round = 0; round < 1500; round++) {
		try {
			const fd = await openChecked(served);
			const bytes = Buffer.alloc(12);
			readSync(fd, bytes, 0, 12, 0);
			closeSync(fd);
			opened++;
			expect(bytes.toString()).toBe('public bytes');
		} catch (error) {
			if (!(error instanceof Error) || error.name !== 'P2pError') throw error;
			refused++;
		}
	}
	swapping = false;
	await swapper;
	expect(opened).toBeGreaterThan(0);
	expect(refused).toBeGreaterThan(0);
});

test('a link inside the share is served, and a pipe does not hang', async () => {
	const {catalog, port} = await uploadServer();
	const target = await catalog.write('real/1.txt', 'linked text');
	await symlink('real/1.txt', path.join(catalog.folder, 'link.txt'));
	catalog.files.length = 0;
	const link = await catalog.add('link.txt');
	expect((await fetchFrom(port, `/v1/files/${link.content}`)).body.toString()).toBe('linked text');
	const pipe = await catalog.write('pipe', 'will be a pipe');
	await rm(pipe.file);
	await promisify(execFile)('mkfifo', [pipe.file]);
	expect(codeOf(await fetchFrom(port, `/v1/files/${pipe.content}`))).toBe('409 changed');
	expect(target.content).toBe(link.content);
});

/** Asks for a content and reads nothing of the answer until told. */
async function pausedDownload(port: number, content: string): Promise<{socket: TLSSocket; rest(): Promise<Buffer>}> {
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false});
	onTestFinished(() => void socket.destroy());
	socket.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	await new Promise(resolve => socket.once('readable', resolve));
	return {
		socket,
		async rest() {
			const parts: Buffer[] = [];
			socket.on('error', () => undefined);
			socket.on('data', part => parts.push(part));
			await new Promise(resolve => socket.once('close', resolve));
			return Buffer.concat(parts);
		},
	};
}

test.each([
	['grows', (file: string) => appendFile(file, 'more')],
	['shrinks', (file: string) => truncate(file, 1000)],
	['is written to in place', (file: string) => writeFile(file, Buffer.alloc(40_000_000, 7))],
])('an answer is broken off, not completed, when its file %s meanwhile', async (_how, change) => {
	const {catalog, port, events} = await uploadServer({times: {sessionIdle: 200}});
	const bytes = someBytes(40_000_000);
	const {content, file} = await catalog.write('1.bin', bytes);
	const download = await pausedDownload(port, content);
	await change(file);
	const received = await download.rest();
	const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
	expect(body.length).toBeLessThan(bytes.length);
	await waitFor('the catalog to be told', () => catalog.changes.length > 0);
	expect(catalog.changes).toEqual(['share/1.bin']);
	await waitFor('the end of the upload', () => events.length === 2);
	expect(events[1]).toMatchObject({
		event: 'upload-failed',
		message: expect.stringMatching(/^broken off at \d+%: .*changed/),
	});
	expect(codeOf(await fetchFrom(port, `/v1/files/${content}`))).toBe('409 changed');
});

test('a file that is replaced by another one meanwhile is sent to its end, as it was', async () => {
	const {catalog, port} = await uploadServer();
	const bytes = someBytes(20_000_000);
	const {content, file} = await catalog.write('1.bin', bytes);
	const download = await pausedDownload(port, content);
	await writeFile(`${file}.new`, 'saved by an editor');
	await rename(`${file}.new`, file);
	const parts: Buffer[] = [];
	let total = 0;
	download.socket.on('data', part => {
		parts.push(part);
		total += part.length;
	});
	await waitFor(
		'the whole answer',
		() => total >= bytes.length && Buffer.concat(parts).subarray(-20_000_000).equals(bytes),
	);
});
