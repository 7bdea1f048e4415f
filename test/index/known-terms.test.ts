// Lists of common terms in memory: with them a search finds what it finds without, whatever is written meanwhile.
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import type {PeerRecord} from '../../source/index/peer-registry.ts';
import {kindSign} from '../../source/index/sqlite/fts-text.ts';
import {IndexReader} from '../../source/index/sqlite/index-reader.ts';
import type {SearchRequest} from '../../source/index/sqlite/index-search.ts';
import {IndexWriter} from '../../source/index/sqlite/index-writer.ts';
import {KnownTerms} from '../../source/index/sqlite/known-terms.ts';
import {wordTerm} from '../../source/index/sqlite/match-terms.ts';
import {openForReading} from '../../source/index/sqlite/open-database.ts';
import {packChanges} from '../../source/index/sqlite/packed-changes.ts';
import {createPresenceMemory, SharedPresence} from '../../source/index/sqlite/shared-presence.ts';
import {TermLearner} from '../../source/index/sqlite/term-learner.ts';
import {VocabularyReader} from '../../source/index/sqlite/vocabulary.ts';
import {add, temporaryFolder} from '../helpers/index.ts';
import {waitFor} from '../helpers/wait-for.ts';

const epoch = 'ab'.repeat(16);
/** Contents, so many that a third of them is no rare term any more. */
const contents = 1500;
const colours = ['red', 'green', 'blue'];
const places = ['Berlin', 'Ostrava', 'Łódź', '東京都', 'Berlingen'];
const kinds = ['jpg', 'flac', 'txt', 'mp4'];

/** A file whose words are common ones, but for its number. */
function file(number: number): CatalogChange {
	const colour = colours[number % 3] as string;
	const place = places[number % 5] as string;
	const name = `${colour} ${place} holiday${number % 7} no${number}.${kinds[number % 4]}`;
	return add(
		`share/${place}/${number % 2 ? 'Sommer' : 'winter'}/${name}`,
		`content ${number}`,
		2 ** (number % 30) + number,
	);
}

async function index() {
	const {folder, remove} = temporaryFolder();
	const [database, memory] = [path.join(folder, 'index.db'), createPresenceMemory()];
	const writer = new IndexWriter(database, memory);
	const register = async (number: number, changes: CatalogChange[], mode: 'replace' | 'continue' = 'continue') => {
		writer.begin(number, mode, true);
		writer.add(number, packChanges(changes));
		await writer.finish(number, {epoch, version: 1});
	};
	for (const number of [1, 2, 3, 4, 5]) {
		const peer = {number, id: String(number).padStart(64, '0'), name: `p${number}`, host: 'h', port: 1, addresses: []};
		writer.savePeer({
			...peer,
			have: null,
			files: 0,
			bytes: 0,
			online: true,
			since: 1,
			left: false,
		} satisfies PeerRecord);
		writer.setOnline(number, true, 1);
	}
	await register(
		1,
		Array.from({length: contents}, (_, number) => file(number)),
		'replace',
	);
	const closers: {close(): void}[] = [];
	onTestFinished(() => {
		for (const one of closers) one.close();
		writer.close();
		remove();
	});
	const reader = () => {
		const opened = new IndexReader(database, memory);
		closers.push(opened);
		return opened;
	};
	return {database, memory, writer, register, reader, closers};
}

/** Takes steps until there is nothing more to learn at present. */
async function learn(step: () => number): Promise<void> {
	for (let pause = step(); pause < 1000; pause = step())
		if (pause > 0) await new Promise(resolve => setTimeout(resolve, pause));
}

async function taught(reader: IndexReader): Promise<IndexReader> {
	await learn(() => reader.prepare());
	return reader;
}

const queries = [
	...colours.flatMap(colour => places.map(place => `${place} ${colour}`)),
	...['red berlin', 'berlin holiday3', 'sommer blue', 'hol re', 'winter ostrava green', 'lodz red'],
	...['red berlin no30', 'no45 red', 'blue berl', 'holiday1 som', 'ed holid', '東京 red', '京都 green'],
	...[
		'red kind:audio',
		'ostrava ext:txt',
		'red size:>1MB',
		'green sommer size:<100KB',
		'blue size:1KB..1GB kind:image',
	],
	...['red -sommer', '"red berlin"', '"berlin holiday2" red', 'red nothing', 'nothing at all red', 'red green'],
];

/** All pages of all queries, as text. */
function answersOf(reader: IndexReader): string[] {
	return queries.flatMap(text => {
		const pages: string[] = [];
		let cursor: string | undefined;
		for (let page = 0; page < 12; page++) {
			const request: SearchRequest = {query: parseQuery(text), peers: undefined, limit: 20, sources: 4};
			const {json} = reader.search(JSON.stringify({...request, cursor}));
			const answer = Buffer.from(json).toString();
			pages.push(`${text}: ${answer}`);
			({cursor} = JSON.parse(answer) as {cursor?: string});
			if (!cursor) break;
		}
		return pages;
	});
}

describe('searches with lists of common terms', () => {
	test('find what is found without', async () => {
		const {reader} = await index();
		const without = answersOf(reader());
		const learned = await taught(reader());
		expect(answersOf(learned)).toEqual(without);
		expect(without.filter(text => text.includes('"content"')).length).toBeGreaterThan(20);
	});

	test('also while contents come, go, are renamed and become more popular, before the lists follow and after', async () => {
		const {reader, register} = await index();
		const learned = await taught(reader());
		answersOf(learned);
		const check = () => expect(answersOf(learned)).toEqual(answersOf(reader()));
		const renamed = (number: number) => ({...file(number), path: `share/red Berlin ${number}.jpg`});
		await register(1, [file(contents), renamed(contents + 1), ...[6, 7, 8].map(renamed)]);
		check();
		await register(
			1,
			[15, 30, 31, 45].map(number => ({op: 'remove', path: file(number).path})),
		);
		check();
		// What several share moves towards the front.
		for (const peer of [2, 3]) await register(peer, [60, 61, 62, 75, 90].map(file), 'replace');
		check();
		await taught(learned);
		check();
	});

	test('also when many contents are put in another order in a quiet moment', async () => {
		const {reader, register, writer} = await index();
		const many = Array.from({length: 1200}, (_, number) => file(number));
		for (const peer of [2, 3, 4, 5]) await register(peer, many, 'replace');
		const learned = await taught(reader());
		const before = answersOf(learned);
		expect(before).toEqual(answersOf(reader()));
		while (writer.maintain());
		const after = answersOf(learned);
		expect(after).toEqual(answersOf(reader()));
		expect(after).not.toEqual(before);
	});

	test('are learned anew by an index that has grown to twice its size', async () => {
		const {reader, register} = await index();
		const learned = await taught(reader());
		await register(
			2,
			Array.from({length: 2 * contents}, (_, number) => file(contents + number)),
			'replace',
		);
		await taught(learned);
		expect(answersOf(learned)).toEqual(answersOf(reader()));
	});
});

describe('a learner', () => {
	async function learners() {
		const all = await index();
		const presence = new SharedPresence(all.memory);
		const make = (number: number) => {
			const database = openForReading(all.database);
			const terms = new KnownTerms(database, presence);
			const share = {index: number, of: 2, channel: all.database};
			const learner = new TermLearner(all.database, presence, terms, new VocabularyReader(database), share);
			all.closers.push(learner, database);
			return {terms, learner};
		};
		return {...all, first: make(0), second: make(1)};
	}

	test('tells the others what it has learned, and leaves to them what is theirs', async () => {
		const {first, second} = await learners();
		const common = ['red', 'green', 'blue', 'holiday', 'sommer', 'winter', 'berlin', 'share', 'jpg', 'mp'];
		// Whole, as a start, and the characters of kinds.
		const learned = [...common.map(wordTerm), '"berlin"*', wordTerm(kindSign('audio')), wordTerm(kindSign('video'))];
		const counts = (terms: KnownTerms) => learned.map(term => terms.countOf(term));
		// What every second content or more has: by its first letter it falls to one of the two.
		await learn(() => first.learner.step());
		const own = counts(first.terms);
		expect(own.some(count => count > 0)).toBe(true);
		expect(own.some(count => count === 0)).toBe(true);
		await learn(() => second.learner.step());
		await waitFor('what the second learned', () => counts(first.terms).every(count => count > 256));
		await waitFor('what the first learned', () => counts(second.terms).every(count => count > 256));
		expect(counts(first.terms)).toEqual(counts(second.terms));
		expect(counts(first.terms)[0]).toBe(contents / 3);
	});

	test('does not begin while others write, and does not keep their log from being taken into the file', async () => {
		const {first, register, database} = await learners();
		await register(1, [file(contents)]);
		expect(first.learner.step()).toBeGreaterThan(0);
		expect(first.terms.bytes).toBe(0);
		await learn(() => first.learner.step());
		expect(first.terms.bytes).toBeGreaterThan(0);
		const other = new DatabaseSync(database);
		try {
			expect(other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toEqual({busy: 0, log: 0, checkpointed: 0});
		} finally {
			other.close();
		}
	});
});
