// Several catalogs in one transaction.
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {expect, onTestFinished, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import type {PeerRecord} from '../../source/index/peer-registry.ts';
import {IndexWriter} from '../../source/index/sqlite/index-writer.ts';
import {packChanges} from '../../source/index/sqlite/packed-changes.ts';
import {createPresenceMemory} from '../../source/index/sqlite/shared-presence.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {add, temporaryFolder} from '../helpers/index.ts';

const epoch = 'ab'.repeat(16);
const idOf = (number: number) => number.toString(16).padStart(64, '0');

function writerIn(folder: string): IndexWriter {
	const writer = new IndexWriter(path.join(folder, 'index.db'), createPresenceMemory());
	for (const number of [1, 2, 3]) {
		const peer = {number, id: idOf(number), name: `p${number}`, host: 'h', port: 1, addresses: [], have: null};
		writer.savePeer({...peer, files: 0, bytes: 0, online: false, since: 1, left: false} satisfies PeerRecord);
	}
	return writer;
}

test('of catalogs that are written together, one that cannot be written is refused alone', async () => {
	const {folder, remove} = temporaryFolder();
	const writer = writerIn(folder);
	onTestFinished(() => {
		writer.close();
		remove();
	});
	for (const number of [1, 2, 3]) {
		writer.begin(number, 'replace', false);
		const changes = packChanges([add('s/shared.txt', 'shared', 5), add(`s/own ${number}.txt`, number, 7)]);
		// No size at all is what the database itself refuses.
		if (number === 2) changes.sizes[1] = Number.NaN;
		writer.add(number, changes);
	}
	const ends = await Promise.allSettled([1, 2, 3].map(number => writer.finish(number, {epoch, version: 9})));
	expect(ends.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
	expect(writer.abandon(2)).toEqual({files: 0, bytes: 0});
	const peers = writer.peers().map(({number, files, bytes, have}) => ({number, files, bytes, have}));
	expect(peers).toEqual([
		{number: 1, files: 2, bytes: 12, have: {epoch, version: 9}},
		{number: 2, files: 0, bytes: 0, have: null},
		{number: 3, files: 2, bytes: 12, have: {epoch, version: 9}},
	]);
});

test('an upload that waits for others is written before the database is closed', async () => {
	const {folder, remove} = temporaryFolder();
	onTestFinished(remove);
	const writer = writerIn(folder);
	writer.begin(1, 'replace', false);
	writer.add(1, packChanges([add('s/a.txt', 'a', 3)]));
	const finished = writer.finish(1, {epoch, version: 1});
	writer.close();
	expect(await finished).toEqual({files: 1, bytes: 3});
});

/** Catalogs that have contents in common: under the same paths, under others, and under the same ones as some. */
function catalogs(round: number): CatalogChange[][] {
	return Array.from({length: 5}, (_, peer) =>
		Array.from({length: 24}, (_, file) => {
			const name =
				file % 3 === 0 ? `same ${file}` : file % 3 === 1 ? `peer${peer} ${file}` : `pair${peer >> 1} ${file}`;
			if (round === 1 && file % 5 === 0) return {op: 'remove', path: `s/f ${file % 4}/${name}.txt`};
			return add(
				`s/f ${file % 4}/${name}.txt`,
				`content ${file + (round === 1 && file % 7 === 0 ? 100 : 0)}`,
				10 + file,
			);
		}),
	);
}

async function filled(file: string, together: boolean): Promise<unknown[]> {
	const store = new SqliteStore(file);
	await store.open();
	try {
		const ids = catalogs(0).map((_, peer) => idOf(peer + 1));
		for (const [peer, id] of ids.entries()) {
			await store.register({id, name: `p${peer}`, host: 'h', port: 1});
			if (peer !== 3) await store.setOnline(id, true);
		}
		for (const round of [0, 1]) {
			const uploads = catalogs(round).map((changes, peer) => async () => {
				async function* batches() {
					yield changes;
				}
				const at = 1_700_000_000_000 + 1000 * round;
				await store.applyChanges(ids[peer]!, {epoch, from: round * 24, to: (round + 1) * 24, at}, batches());
			});
			if (together) await Promise.all(uploads.map(upload => upload()));
			else for (const upload of uploads) await upload();
		}
		const answers: unknown[] = [await store.counts()];
		const queries = [
			'txt',
			'same',
			'peer2',
			'peer3',
			'pair1',
			'pair0 -same',
			'36',
			'f 2',
			'name:"peer4 4.txt"',
			'ame',
			'size:>20',
		];
		for (const text of queries) {
			const {hits, total} = await store.search(parseQuery(text), {limit: 200, sources: 50});
			const told = hits.map(({content, size, sourceCount, sources}) => ({
				...{content, size, sourceCount},
				sources: sources.map(({number, path}) => `${number} ${path}`).sort(),
			}));
			answers.push({text, total, hits: told.sort((a, b) => (a.content < b.content ? -1 : 1))});
		}
		for (const id of ids) answers.push(await store.browse(id, 's/f 1', {}));
		return answers;
	} finally {
		await store.close();
	}
}

test('catalogs that come at the same time answer as those that came one after the other', async () => {
	const {folder, remove} = temporaryFolder();
	onTestFinished(remove);
	const one = await filled(path.join(folder, 'one.db'), false);
	const together = await filled(path.join(folder, 'together.db'), true);
	expect(together).toEqual(one);
	expect(JSON.stringify(one)).toContain('peer2');
});

test('an index that was stopped in many parts is merged after the next start', async () => {
	const {folder, remove} = temporaryFolder();
	onTestFinished(remove);
	const parts = () => {
		const database = new DatabaseSync(path.join(folder, 'index.db'), {readOnly: true});
		const {n} = database.prepare('SELECT count(DISTINCT segid) AS n FROM fts_idx').get() as {n: number};
		database.close();
		return n;
	};
	const writer = writerIn(folder);
	for (let round = 0; round < 15; round++) {
		writer.begin(1, 'continue', false);
		writer.add(1, packChanges([add(`s/word${round}.txt`, round)]));
		await writer.finish(1, {epoch, version: round + 1});
	}
	writer.close();
	expect(parts()).toBeGreaterThan(4);
	const again = new IndexWriter(path.join(folder, 'index.db'), createPresenceMemory());
	while (again.maintain());
	again.close();
	expect(parts()).toBe(1);
});
