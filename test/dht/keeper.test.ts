// What a node takes in and what it answers: signatures, quotas, tombstones, expiry, paging, parts of common words.
import {createHash, generateKeyPairSync, type KeyObject, sign} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {beforeEach, describe, expect, test} from 'vitest';
import {BadBytes} from '../../source/dht/bytes.ts';
import {Keeper} from '../../source/dht/keeper.ts';
import {
	batchText,
	contentBit,
	fromStart,
	type GetRequest,
	readAnswer,
	readGet,
	readPutAnswer,
	writeFiles,
	writeGet,
	writePresence,
	writePut,
} from '../../source/dht/messages.ts';
import {NetworkKey} from '../../source/dht/network-key.ts';
import {PostingStore} from '../../source/dht/posting-store.ts';
import {type FileRecord, isGenuineFile, signFile, signPresence} from '../../source/dht/records.ts';
import {keyWords} from '../../source/dht/words.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const {tag} = new NetworkKey('test');
const [nodeId, token] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const every = 2 ** 31 - 1;

type Publisher = {peer: string; privateKey: KeyObject; tag: Buffer};
function publisher(): Publisher {
	const {privateKey, publicKey} = generateKeyPairSync('ed25519');
	return {peer: Buffer.from(publicKey.export({format: 'jwk'}).x!, 'base64url').toString('hex'), privateKey, tag};
}

let now = 0;
let store: PostingStore;
let keeper: Keeper;
const open = (limits = {}) => {
	store = new PostingStore(':memory:', limits);
	keeper = new Keeper(store, tag, () => now);
};
beforeEach(() => {
	now = 1_800_000_000;
	open();
	return () => store.close();
});

const record = (path: string, more: Partial<FileRecord> = {}): FileRecord => ({
	...{content: createHash('sha256').update(path).digest('hex'), size: 1000, path},
	...{time: now, expiry: now + 3600, removed: false, ...more},
});
const all = {mask: every + contentBit, parts: 0};
const body = async (who: Publisher, files: FileRecord[], masks = all) =>
	writeFiles(who.peer, await Promise.all(files.map(async file => ({...masks, file: await signFile(file, who)}))));
const signed = (who: Publisher, bytes: Buffer, [id, tok] = [nodeId, token]) =>
	writePut(bytes, sign(null, batchText(id, tok, bytes), who.privateKey));
const put = async (who: Publisher, files: FileRecord[], address = '10.0.0.1', masks = all) =>
	keeper.put(signed(who, await body(who, files, masks)), nodeId, token, address);
const ask = (request: GetRequest) => readAnswer(keeper.answer(readGet(writeGet(request))));
const word = (text: string, query = text, prefix = false) =>
	ask({kind: 'word', word: text, part: '', prefix, query, cursor: fromStart});
const paths = ({files}: ReturnType<typeof ask>) => files.map(({file}) => file.path).sort();

describe('batches', () => {
	test('are kept under each word of the path and under the content, and answer with what was signed', async () => {
		const alice = publisher();
		const answer = await put(alice, [record('music/Blue Train.flac'), record('music/Red Bus.flac')]);
		expect(readPutAnswer(answer!)).toEqual([0, 0]);
		expect(paths(word('blue'))).toEqual(['music/Blue Train.flac']);
		expect(paths(word('music'))).toEqual(['music/Blue Train.flac', 'music/Red Bus.flac']);
		expect(word('flac').files).toEqual([]);
		const {content} = record('music/Red Bus.flac');
		const [found] = ask({kind: 'content', content, cursor: fromStart}).files;
		expect(found?.publisher).toBe(alice.peer);
		expect(isGenuineFile(found!.file, alice.peer, tag)).toBe(true);
		expect(isGenuineFile(found!.file, publisher().peer, tag)).toBe(false);
		expect(isGenuineFile(found!.file, alice.peer, new NetworkKey('other').tag)).toBe(false);
	});

	test('of somebody else, for another node, or with another token are refused', async () => {
		const [alice, mallory] = [publisher(), publisher()];
		const bytes = await body(alice, [record('a/secret plan.txt')]);
		expect(keeper.put(signed(mallory, bytes), nodeId, token, '10.0.0.1')).toBeUndefined();
		expect(keeper.put(signed(alice, bytes, [token, token]), nodeId, token, '10.0.0.1')).toBeUndefined();
		expect(keeper.put(signed(alice, bytes, [nodeId, nodeId]), nodeId, token, '10.0.0.1')).toBeUndefined();
		expect(keeper.put(signed(alice, bytes), nodeId, token, '10.0.0.1')).toBeDefined();
		expect(() => keeper.put(signed(alice, bytes).subarray(0, -3), nodeId, token, '10.0.0.1')).toThrow(BadBytes);
		expect(await put(alice, [record('../etc/passwd.txt', {path: 'x/y'})])).toBeDefined();
		await expect(put(alice, [record('a/../b.txt')])).rejects.toThrow(BadBytes);
	});

	test('from the future, of the past, or meant for too long are refused', async () => {
		const alice = publisher();
		expect(await put(alice, [record('a/one.txt', {time: now + 3600})])).toBeUndefined();
		expect(await put(alice, [record('a/two.txt', {expiry: now - 1})])).toBeUndefined();
		expect(await put(alice, [record('a/three.txt', {expiry: now + 90 * 24 * 3600})])).toBeUndefined();
		expect(store.records).toBe(0);
	});
});

describe('what is kept', () => {
	test('a tombstone removes it, and a later copy of what was before does not bring it back', async () => {
		const alice = publisher();
		await put(alice, [record('a/old news.txt', {time: now - 10})]);
		await put(alice, [record('a/old news.txt', {removed: true, content: '0'.repeat(64), size: 0})]);
		expect(word('news').files).toEqual([]);
		await put(alice, [record('a/old news.txt', {time: now - 5})]);
		expect(word('news').files).toEqual([]);
		await put(alice, [record('a/old news.txt', {time: now + 1})]);
		expect(paths(word('news'))).toEqual(['a/old news.txt']);
	});

	test('another content under the same path replaces it', async () => {
		const alice = publisher();
		await put(alice, [record('a/notes.txt')]);
		await put(alice, [record('a/notes.txt', {content: 'ab'.repeat(32), time: now + 1})]);
		expect(word('notes').files.map(({file}) => file.content)).toEqual(['ab'.repeat(32)]);
		const {content} = record('a/notes.txt');
		expect(ask({kind: 'content', content, cursor: fromStart}).files).toEqual([]);
	});

	test('it is not named after it expired, and forgotten then', async () => {
		await put(publisher(), [record('a/soon gone.txt')]);
		now += 4000;
		expect(word('gone').files).toEqual([]);
		expect(store.records).toBe(1);
		store.forget(now, keyWords);
		expect(store.records).toBe(0);
		expect(word('gone').total).toBe(0);
	});

	test('a database that is damaged is begun anew', async () => {
		const file = path.join(await tempFolder(), 'dht.db');
		await writeFile(file, 'no database at all, but long enough to be taken for one '.repeat(200));
		const again = new PostingStore(file);
		expect(again.records).toBe(0);
		again.close();
	});

	test('many answers come in pages that a packet holds, each file once', async () => {
		const alice = publisher();
		for (let at = 0; at < 200; at += 5)
			await put(
				alice,
				Array.from({length: 5}, (_, index) => record(`a/common ${at + index}.txt`)),
			);
		for (const prefix of [false, true]) {
			const seen = new Set<string>();
			let cursor = fromStart;
			for (let page = 0; ; page++) {
				expect(page).toBeLessThan(60);
				const answer = ask({kind: 'word', word: 'common', part: '', prefix, query: 'common', cursor});
				for (const {file} of answer.files) {
					expect(seen.has(file.path)).toBe(false);
					seen.add(file.path);
				}
				if (!answer.next) break;
				cursor = answer.next;
			}
			expect(seen.size).toBe(200);
		}
	});

	test('the other words and filters of a query are held against each file by the node that keeps it', async () => {
		await put(publisher(), [
			record('a/red apple.txt'),
			record('a/green apple.jpg'),
			record('a/apple pie.txt', {size: 5_000_000}),
		]);
		expect(paths(word('apple', 'apple red'))).toEqual(['a/red apple.txt']);
		expect(paths(word('apple', 'apple ext:jpg'))).toEqual(['a/green apple.jpg']);
		expect(paths(word('apple', 'apple size:>1MB'))).toEqual(['a/apple pie.txt']);
		expect(paths(word('apple', '"apple pie"'))).toEqual(['a/apple pie.txt']);
		expect(paths(word('app', 'app', true))).toHaveLength(3);
		expect(() => word('apple', 'size:nonsense')).toThrow();
	});

	describe('a common word with others beside it', () => {
		const fill = async (more: FileRecord[], masks = all) => {
			const common = Array.from({length: 300}, (_, index) => record(`a/holiday ${index}.txt`));
			for (let at = 0; at < common.length; at += 100)
				expect(await put(publisher(), common.slice(at, at + 100))).toBeDefined();
			await put(publisher(), more, '10.0.0.2', masks);
		};
		/** All answers to a query for a word, one after the other. */
		const answers = (query: string) => {
			const all: Array<ReturnType<typeof ask>> = [];
			for (let cursor: typeof fromStart | undefined = fromStart; cursor; cursor = all.at(-1)!.next) {
				expect(all.length).toBeLessThan(20);
				all.push(ask({kind: 'word', word: 'holiday', part: '', prefix: true, query, cursor}));
			}
			return all;
		};
		const found = (query: string) => [...new Set(answers(query).flatMap(paths))];

		test('is answered first with what the rarer word leads to, whatever came before it', async () => {
			await fill([record('b/Holiday in Ystad.txt')]);
			expect(paths(answers('holiday ystad')[0]!)).toEqual(['b/Holiday in Ystad.txt']);
			expect(found('holiday ystad')).toEqual(['b/Holiday in Ystad.txt']);
			expect(found('holiday 299 txt')).toEqual(['a/holiday 299.txt']);
		});

		test('also finds what stands here under the common word only, and words inside others', async () => {
			const mask = 2 ** keyWords('b/holiday ystad.txt').indexOf('holiday');
			await fill([record('b/holiday ystad.txt')], {mask, parts: 0});
			await put(publisher(), [record('c/ystadt holiday.txt'), record('c/notystad holiday.txt')], '10.0.0.3');
			expect(paths(answers('holiday ystad')[0]!)).toEqual(['c/ystadt holiday.txt']);
			expect(found('holiday ystad').sort()).toEqual([
				'b/holiday ystad.txt',
				'c/notystad holiday.txt',
				'c/ystadt holiday.txt',
			]);
		});

		test('finds names that SQLite cannot fold: accents, strokes, scripts without spaces', async () => {
			const names = ['Holiday CAFÉ.txt', 'holiday Ærø.txt', 'holiday 東京タワー.txt', 'HOLIDAY NAÏVE 2024img.txt'];
			// Under their first word only: they are met among all files that have it.
			await fill(
				names.map(name => record(`b/${name}`)),
				{mask: 1, parts: 0},
			);
			const one = (query: string) => found(query).map(path => path.slice(2));
			expect(one('holiday cafe')).toEqual(['Holiday CAFÉ.txt']);
			expect(one('holiday café')).toEqual(['Holiday CAFÉ.txt']);
			expect(one('holiday aero')).toEqual(['holiday Ærø.txt']);
			expect(one('holiday 東京')).toEqual(['holiday 東京タワー.txt']);
			expect(one('holiday naive img')).toEqual(['HOLIDAY NAÏVE 2024img.txt']);
			expect(one('holiday name:"HOLIDAY 7.txt"')).toEqual(['holiday 7.txt']);
			expect(one('holiday "holiday 12"')).toEqual(['holiday 12.txt']);
			expect(one('holiday -txt cafe')).toEqual([]);
		});
	});
});

describe('quotas', () => {
	test('one publisher, and all behind one address, fill only their part', async () => {
		open({publisher: 3, address: 5});
		const [alice, bob, carol] = [publisher(), publisher(), publisher()];
		const files = (who: string, count: number) =>
			Array.from({length: count}, (_, index) => record(`${who}/file ${index}.txt`));
		expect(await put(alice, files('alice', 3))).toBeDefined();
		expect(await put(alice, [record('alice/more.txt')])).toBeUndefined();
		expect(await put(bob, files('bob', 2))).toBeDefined();
		expect(await put(bob, [record('bob/more.txt')])).toBeUndefined();
		expect(await put(carol, [record('carol/elsewhere.txt')], '10.0.0.2')).toBeDefined();
		expect(store.records).toBe(6);
	});

	test('a word that is full names itself, keeps what it has, and goes on in its parts', async () => {
		open({word: 4, wordOfPublisher: 3});
		const [spammer, alice] = [publisher(), publisher()];
		const spam = Array.from({length: 5}, (_, index) => record(`spam/holiday ${index}.txt`));
		await put(alice, [record('alice/holiday.jpg')]);
		const full = readPutAnswer((await put(spammer, spam))!);
		const holiday = 2 ** keyWords('spam/holiday 0.txt').indexOf('holiday');
		expect(full.map(mask => (mask & holiday) !== 0)).toEqual([false, false, false, true, true]);
		const answer = word('holiday');
		expect([answer.total, answer.split]).toEqual([4, true]);
		expect(paths(answer)).toContain('alice/holiday.jpg');

		const rest = record('bob/holiday.png');
		const part = rest.content[0]!;
		const inPart = {mask: contentBit, parts: every};
		expect(readPutAnswer((await put(publisher(), [rest], '10.0.0.3', inPart))!)).toEqual([0]);
		const there = ask({kind: 'word', word: 'holiday', part, prefix: false, query: 'holiday', cursor: fromStart});
		expect(paths(there)).toEqual(['bob/holiday.png']);
		expect(paths(word('holiday'))).not.toContain('bob/holiday.png');
	});
});

describe('presences', () => {
	test('the newest of a peer counts, forged ones do not, and those who left are not in the list', async () => {
		const [alice, mallory] = [publisher(), publisher()];
		const presence = (time: number, port: number, who = alice, left = false) =>
			signPresence(
				{
					...{peer: alice.peer, name: 'alice', port, addresses: ['10.0.0.1', 'fd00::1'], files: 1, bytes: 2},
					...{since: now, floor: 0, time, expiry: time + 120, left},
				},
				who,
			);
		const tell = (presence: ReturnType<typeof signPresence>) =>
			keeper.put(writePut(writePresence(presence), Buffer.alloc(64)), nodeId, token, '10.0.0.1');
		expect(tell(presence(now, 1000))).toBeDefined();
		tell(presence(now - 60, 2000));
		expect(tell(presence(now + 5, 3000, mallory))).toBeUndefined();
		expect(ask({kind: 'peer', peer: alice.peer}).presences).toMatchObject([{port: 1000, name: 'alice'}]);
		expect(ask({kind: 'peers', cursor: fromStart}).presences).toHaveLength(1);
		tell(presence(now + 1, 1000, alice, true));
		expect(ask({kind: 'peer', peer: alice.peer}).presences).toMatchObject([{left: true}]);
		now += 200;
		expect(ask({kind: 'peers', cursor: fromStart}).presences).toEqual([]);
	});
});
