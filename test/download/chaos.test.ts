// Everything at once: of five sources one lies, one stalls, one dies and comes back and one is slow, while the
// downloader is killed and started again.
import {randomBytes} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {contentOf, piece, sendBoth, wireSource} from '../helpers/download.ts';
import {type ChildLine, downloadProcess} from '../helpers/download-process.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const size = 96 * piece;
const file = randomBytes(size);
const {content} = contentOf(file);

test('a liar, one that stalls, one that dies and comes back, a slow one, and kill -9 in between', async () => {
	const root = await tempFolder();
	const steady = (milliseconds: number) => (call: {answer(): void}) =>
		void setTimeout(() => call.answer(), milliseconds);
	const honest = await wireSource(file, steady(60), {name: 'honest'});
	const slow = await wireSource(file, steady(900), {name: 'slow'});
	const mortal = await wireSource(file, steady(60), {name: 'mortal'});
	const liar = await wireSource(
		file,
		({socket, head, bytes}) => sendBoth(socket, head(), Buffer.from(bytes).fill(0x55, 0, 1000)),
		{name: 'liar'},
	);
	// Gives half of each answer, and then not one byte more.
	const stalling = await wireSource(
		file,
		({socket, head, bytes}) => sendBoth(socket, head(), bytes.subarray(0, bytes.length / 2)),
		{name: 'stalling'},
	);
	const sources = [liar, stalling, mortal, slow, honest].map(each => each.source);
	const request = {content, name: 'x.bin', size, sources};
	const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
	const all: ChildLine[] = [];
	for (let round = 0; round < 3; round++) {
		const run = downloadProcess(settings);
		const before = honest.calls.length;
		await waitFor('it to fetch', () => honest.calls.length > before + 1 || run.child.exitCode !== null);
		if (round === 1) {
			await mortal.close();
			await new Promise(resolve => setTimeout(resolve, 300));
			await mortal.reopen();
		}
		run.child.kill('SIGKILL');
		await run.exited;
		all.push(...run.lines);
	}
	const last = downloadProcess(settings);
	await last.exited;
	all.push(...last.lines);
	const end = last.lines.at(-1)!;
	expect(end).toMatchObject({event: 'finished', path: path.join(settings.folder, 'downloaded_x.bin')});
	expect((await readFile(end.path!)).equals(file)).toBe(true);
	expect(await readdir(settings.folder)).toEqual(['downloaded_x.bin']);
	expect(all.filter(line => line.event === 'failed')).toEqual([]);
	// Nobody but the liar was dropped for good, in any of the runs.
	for (const line of all) {
		for (const dropped of line.dropped ?? []) expect(dropped.peer).toBe(liar.source.peer);
		if (line.event === 'log' && line.message?.startsWith('Wrong bytes')) expect(line.message).toContain('liar');
	}
});
