// A hundred thousand downloads in the queue, and a file of a terabyte.
import {createHash} from 'node:crypto';
import {stat, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {blockSize, pieceCount, pieceSizeFor} from '../../source/content/content-id.ts';
import {merkleRoot, rootOfPieceLayer} from '../../source/content/merkle.ts';
import {downloader} from '../helpers/download.ts';
import {uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const contentOfNumber = (n: number) => createHash('sha256').update(`${n}`).digest('hex');

test('100,000 queued downloads: added, listed, moved, found again, and none blocks the loop', async () => {
	const count = 100_000;
	const first = await downloader({once: false, running: 1});
	// The first never ends, so that the others stay queued.
	const silent = {peer: 'a'.repeat(64), number: 1, name: 'nobody', host: '127.0.0.1', port: 9};
	const keys: string[] = [];
	for (let n = 0; n < count; n++) {
		const {key} = await first.manager.add({
			content: contentOfNumber(n),
			name: `${n}`,
			size: 1000 + n,
			sources: [silent],
		});
		keys.push(key);
		if (n % 200 === 0) await new Promise(resolve => setImmediate(resolve));
	}
	const {manager} = first;
	const took: Record<string, number[]> = {counts: [], page: [], move: []};
	/** Milliseconds of one synchronous call. */
	const timed = <T>(what: string, call: () => T): T => {
		const start = performance.now();
		const value = call();
		took[what]!.push(performance.now() - start);
		return value;
	};
	for (let round = 0; round < 20; round++) {
		const {queued, waiting, running} = timed('counts', () => manager.counts());
		expect(queued + waiting + running).toBe(count);
		expect(timed('page', () => manager.inState('queued', queued - 10, 10))).toHaveLength(10);
		timed('move', () => manager.reorder(keys[count - 1 - round]!, -50_000));
		await new Promise(resolve => setTimeout(resolve, 10));
	}
	const total = manager.list().length;
	expect(total).toBe(count);
	expect(manager.list(49_960, 60).map(row => row.name)).toContain('99999');
	// Other programs share the machine and interrupt some of the calls: what blocks by itself blocks in every round.
	for (const [what, times] of Object.entries(took))
		expect(times.toSorted((a, b) => a - b)[4], `quickest quarter of ${what}`).toBeLessThan(20);
	await manager.stop();
	const second = await downloader({...first.settings, findSources: async () => []});
	const states = second.manager.counts();
	expect(states.queued + states.waiting + states.running).toBe(count);
	expect(second.manager.list(49_960, 60).map(row => row.name)).toContain('99999');
	// Each is written to the disk before the next is added: on a busy machine that takes minutes.
}, 900_000);

test('a file of one terabyte starts at once and holds little memory', async () => {
	const size = 2 ** 40;
	const pieceSize = pieceSizeFor(size);
	const pieces = pieceCount(size);
	expect([pieceSize, pieces]).toEqual([16 * 2 ** 20, 65_536]);
	const zeroBlock = createHash('sha256').update(Buffer.alloc(blockSize)).digest();
	const blocks = pieceSize / blockSize;
	const zeroPiece = merkleRoot(Buffer.concat(Array.from({length: blocks}, () => zeroBlock)), blocks);
	const layer = Buffer.concat(Array.from({length: pieces}, () => zeroPiece));
	const content = rootOfPieceLayer(layer, pieceSize).toString('hex');
	const {catalog, port, identity} = await uploadServer();
	const file = path.join(catalog.folder, 'huge');
	await writeFile(file, '');
	await truncate(file, size);
	const {mtimeNs} = await stat(file, {bigint: true});
	catalog.files.push({content, path: 'share/huge', file, folder: catalog.folder, size, mtimeNs});
	const {pieceLayer} = catalog;
	catalog.pieceLayer = asked => (asked === content ? {pieceSize, size, layer} : pieceLayer.call(catalog, asked));
	const {manager, seen, partFolder} = await downloader({once: false, limit: 100_000_000});
	const before = process.memoryUsage().rss;
	const source = {peer: identity.id, number: 1, name: 'alice', host: '127.0.0.1', port};
	const {key} = await manager.add({content, name: 'huge', size, sources: [source]});
	await waitFor('some pieces', () => (manager.list()[0]?.done ?? 0) >= 3 * pieceSize);
	const {pieces: shown, map} = manager.details(key);
	expect([shown, map.length]).toEqual([pieces, pieces]);
	expect(map.filter(from => from === 1).length).toBeGreaterThanOrEqual(3);
	expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(400);
	expect((await stat(path.join(partFolder, `${content}.part`))).size).toBe(size);
	await manager.cancel(key);
	expect(seen('download-failed')).toEqual([]);
});
