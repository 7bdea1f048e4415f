// What every IndexStore must do: run by each implementation's test with its own factory.
import {describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {parseQuery} from '../../source/api/query.ts';
import {type CatalogChange, searchResponseSchema} from '../../source/api/schemas.ts';
import {P2pError} from '../../source/core/errors.ts';
import {pathHash} from '../../source/index/path-hash.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {add, contentId} from '../helpers/index.ts';

/** A store under test. `reopen`: closes it and opens what it left, where it leaves anything. */
export type StoreUnderTest = {store: IndexStore; reopen?: () => Promise<IndexStore>; remove: () => Promise<void>};

const epoch = 'ab'.repeat(16);
const otherEpoch = 'cd'.repeat(16);

const peerId = (seed: number) => seed.toString(16).padStart(2, '0').repeat(32);

async function* batches(...lists: CatalogChange[][]) {
	yield* lists;
}

/** Registers a peer with files and puts it online. */
async function share(store: IndexStore, seed: number, files: CatalogChange[], name = `peer${seed}`): Promise<string> {
	const id = peerId(seed);
	await store.register({id, name, host: '10.0.0.1', port: 1000 + seed});
	await store.applyChanges(id, {epoch, from: 0, to: files.length}, batches(files));
	await store.setOnline(id, true);
	return id;
}

async function names(store: IndexStore, query: string): Promise<string[]> {
	return (await store.search(parseQuery(query))).hits.map(hit => hit.name);
}

async function failure(promise: Promise<unknown>): Promise<P2pError> {
	const error = await promise.then(
		() => undefined,
		reason => reason,
	);
	expect(error).toBeInstanceOf(P2pError);
	return error as P2pError;
}

/** The suite. */
export function indexStoreConformance(
	name: string,
	make: (options?: {filesPerPeer?: number}) => Promise<StoreUnderTest>,
): void {
	const scenario = (
		what: string,
		run: (store: IndexStore, under: StoreUnderTest) => Promise<void>,
		options: {filesPerPeer?: number} = {},
	) =>
		test(what, async () => {
			const under = await make(options);
			try {
				await run(under.store, under);
			} finally {
				await under.remove();
			}
		});

	describe(`${name}: peers`, () => {
		scenario('get numbers that stay theirs, also after they left', async store => {
			const first = await store.register({id: peerId(1), name: 'a', host: 'h', port: 1});
			const second = await store.register({id: peerId(2), name: 'b', host: 'h', port: 1});
			expect([first.number, second.number]).toEqual([1, 2]);
			expect((await store.register({id: peerId(1), name: 'renamed', host: 'h2', port: 9})).number).toBe(1);
			expect(await store.getPeer('1')).toMatchObject({name: 'renamed', host: 'h2', port: 9});
			await store.leave(peerId(2));
			expect((await failure(store.getPeer('2'))).code).toBe('not-found');
			expect((await store.register({id: peerId(3), name: 'c', host: 'h', port: 1})).number).toBe(3);
			expect((await store.register({id: peerId(2), name: 'b', host: 'h', port: 1})).number).toBe(2);
		});

		scenario(
			'keep all the addresses they announce, also across a restart, until they announce others',
			async (store, under) => {
				const addresses = ['10.0.0.7:4000', '[fd00::7]:4000'];
				await store.register({id: peerId(1), name: 'a', host: '10.0.0.1', port: 4000, addresses});
				await store.applyChanges(peerId(1), {epoch, from: 0, to: 1}, batches([add('s/a.txt', 'a')]));
				await store.setOnline(peerId(1), true);
				const known = async (from: IndexStore) => [
					(await from.getPeer('1')).addresses,
					(await from.listPeers()).peers[0]?.addresses,
					(await from.sources(contentId('a'))).sources[0]?.addresses,
				];
				expect(await known(store)).toEqual([addresses, addresses, addresses]);
				const again = await under.reopen?.();
				if (again) expect((await again.getPeer('1')).addresses).toEqual(addresses);
				const latest = again ?? store;
				await latest.register({id: peerId(1), name: 'a', host: '10.0.0.1', port: 4000});
				expect((await latest.getPeer('1')).addresses).toBeUndefined();
			},
		);

		scenario('are found by number, ID, start of it and nickname', async store => {
			for (const [seed, nick] of [
				[0x11, 'Alice'],
				[0x12, 'bob'],
				[0x13, 'bob'],
			] as const)
				await store.register({id: peerId(seed), name: nick, host: 'h', port: 1});
			for (const reference of ['1', '#1', peerId(0x11), '1111', 'alice', 'ALICE'])
				expect((await store.getPeer(reference)).number).toBe(1);
			const ambiguous = await failure(store.getPeer('bob'));
			expect(ambiguous.code).toBe('ambiguous');
			expect(ambiguous.details?.candidates).toMatchObject([{number: 2}, {number: 3}]);
			for (const reference of ['99', 'carol', '111', '', 'ffff'])
				expect((await failure(store.getPeer(reference))).code).toBe('not-found');
		});

		scenario('are listed page by page', async store => {
			for (let seed = 1; seed <= 5; seed++) await store.register({id: peerId(seed), name: 'x', host: 'h', port: 1});
			await store.setOnline(peerId(4), true);
			const seen: number[] = [];
			let cursor: string | undefined;
			do {
				const page = await store.listPeers({limit: 2, cursor});
				expect(page).toMatchObject({total: 5, online: 1});
				seen.push(...page.peers.map(peer => peer.number));
				cursor = page.cursor;
			} while (cursor);
			expect(seen).toEqual([1, 2, 3, 4, 5]);
			expect((await failure(store.listPeers({cursor: 'nonsense'}))).code).toBe('bad-request');
		});

		scenario('that were not seen for long are forgotten, those who are here not', async store => {
			await share(store, 1, [add('s/old.txt')]);
			await share(store, 2, [add('s/here.txt')]);
			await store.setOnline(peerId(1), false);
			expect(await store.forget(Date.now() - 60_000)).toBe(0);
			expect(await store.forget(Date.now() + 60_000)).toBe(1);
			expect((await failure(store.getPeer('1'))).code).toBe('not-found');
			expect(await names(store, 'here')).toEqual(['here.txt']);
			expect((await store.register({id: peerId(1), name: 'x', host: 'h', port: 1})).have).toBeNull();
		});

		scenario('that come back while others are being forgotten stay', async store => {
			for (const seed of [1, 2]) {
				await share(store, seed, [add(`s/of${seed}.txt`)]);
				await store.setOnline(peerId(seed), false);
			}
			const leave = store.leave.bind(store);
			store.leave = async id => {
				await store.setOnline(peerId(2), true);
				return leave(id);
			};
			expect(await store.forget(Date.now() + 60_000)).toBe(1);
			store.leave = leave;
			expect((await failure(store.getPeer('1'))).code).toBe('not-found');
			expect(await names(store, 'of')).toEqual(['of2.txt']);
		});
	});

	describe(`${name}: catalogs`, () => {
		scenario('change by adds, replacements and removals', async store => {
			const id = await share(store, 1, [add('s/a.txt', 'a', 10), add('s/b.txt', 'b', 20)]);
			const range = {epoch, from: 2, to: 5};
			const changes: CatalogChange[] = [
				add('s/a.txt', 'a2', 11),
				{op: 'remove', path: 's/b.txt'},
				add('s/c.txt', 'c', 30),
			];
			expect(await store.applyChanges(id, range, batches(changes))).toEqual({
				have: {epoch, version: 5},
				files: 2,
				bytes: 41,
			});
			expect(await names(store, 'b')).toEqual([]);
			expect((await store.search(parseQuery('a'))).hits).toMatchObject([{content: contentId('a2'), size: 11}]);
			expect((await failure(store.sources(contentId('b')))).code).toBe('not-found');
			expect(await store.counts()).toEqual({peers: 1, online: 1, files: 2, bytes: 41});
			const {have} = await store.register({id, name: 'x', host: 'h', port: 1});
			expect(have).toEqual({epoch, version: 5});
		});

		scenario('that are sent again say the same', async store => {
			const files = [add('s/a.txt', 'same', 10), add('s/copy.txt', 'same', 10), add('s/c/d/e.txt', 'e', 5)];
			const id = await share(store, 1, files);
			await store.applyChanges(id, {epoch, from: 3, to: 4}, batches(files, [{op: 'remove', path: 's/none.txt'}]));
			expect(await store.counts()).toMatchObject({files: 3, bytes: 25});
			const {hits} = await store.search(parseQuery('txt'));
			expect(hits).toHaveLength(2);
			expect(hits.every(hit => hit.sourceCount === 1 && hit.sources.length === 1)).toBe(true);
		});

		scenario('of another epoch replace what was there', async store => {
			const id = await share(store, 1, [
				add('s/keep.txt', 'k', 1),
				add('s/gone.txt', 'g', 2),
				add('old/x.txt', 'x', 4),
			]);
			const next = [add('s/keep.txt', 'k', 1), add('s/new.txt', 'n', 8)];
			const applied = await store.applyChanges(id, {epoch: otherEpoch, from: 0, to: 2}, batches(next));
			expect(applied).toEqual({have: {epoch: otherEpoch, version: 2}, files: 2, bytes: 9});
			expect((await names(store, 'txt')).sort()).toEqual(['keep.txt', 'new.txt']);
			expect((await store.browse('1', '')).entries).toEqual([{type: 'folder', path: 's', size: 9, files: 2}]);
		});

		scenario('that do not continue are refused with what is known', async store => {
			const id = await share(store, 1, [add('s/a.txt')]);
			for (const range of [
				{epoch, from: 2, to: 3},
				{epoch: otherEpoch, from: 1, to: 2},
			]) {
				const error = await failure(store.applyChanges(id, range, batches([add('s/b.txt')])));
				expect(error.code).toBe('version-mismatch');
				expect(error.details?.have).toEqual({epoch, version: 1});
			}
			const backwards = store.applyChanges(id, {epoch, from: 1, to: 0}, batches());
			expect((await failure(backwards)).code).toBe('bad-request');
			const unknown = store.applyChanges(peerId(9), {epoch, from: 0, to: 1}, batches());
			expect((await failure(unknown)).code).toBe('not-found');
			expect(await names(store, 'txt')).toEqual(['a.txt']);
		});

		scenario('heal after a stream that broke', async (store, under) => {
			const id = await share(store, 1, [add('s/a.txt', 'a', 1)]);
			async function* breaks() {
				yield [add('s/b.txt', 'b', 2)];
				throw new P2pError('timeout', 'gone');
			}
			expect((await failure(store.applyChanges(id, {epoch, from: 1, to: 9}, breaks()))).code).toBe('timeout');
			expect((await store.register({id, name: 'x', host: 'h', port: 1})).have).toEqual({epoch, version: 1});
			expect((await failure(store.applyChanges(id, {epoch: otherEpoch, from: 0, to: 9}, breaks()))).code).toBe(
				'timeout',
			);
			const again = (await under.reopen?.()) ?? store;
			expect((await again.register({id, name: 'x', host: 'h', port: 1})).have).toBeNull();
			const files = [add('s/b.txt', 'b', 2), add('s/c.txt', 'c', 4)];
			await again.applyChanges(id, {epoch: otherEpoch, from: 0, to: 9}, batches(files));
			await again.setOnline(id, true);
			expect((await names(again, 'txt')).sort()).toEqual(['b.txt', 'c.txt']);
			expect(await again.counts()).toMatchObject({files: 2, bytes: 6});
		});

		scenario('come one stream at a time', async store => {
			const id = await share(store, 1, []);
			const gate = Promise.withResolvers<void>();
			async function* slow() {
				yield [add('s/a.txt')];
				await gate.promise;
			}
			const running = store.applyChanges(id, {epoch, from: 0, to: 1}, slow());
			const second = store.applyChanges(id, {epoch, from: 0, to: 1}, batches([add('s/b.txt')]));
			expect((await failure(second)).code).toBe('busy');
			gate.resolve();
			expect((await running).files).toBe(1);
		});

		scenario('of many files come in as many batches', async store => {
			const lists = Array.from({length: 25}, (_, list) =>
				Array.from({length: 1000}, (_, i) => add(`s/d${list % 7}/file ${list * 1000 + i}.bin`, `${list}-${i}`, 1)),
			);
			const id = await share(store, 1, []);
			const applied = await store.applyChanges(id, {epoch, from: 0, to: 25_000}, batches(...lists));
			expect(applied).toMatchObject({files: 25_000, bytes: 25_000});
			expect((await store.search(parseQuery('file'))).hits).toHaveLength(limits.searchDefault);
			expect(await names(store, '"file 24567"')).toEqual(['file 24567.bin']);
			expect((await store.browse('1', 's')).entries).toHaveLength(7);
		});
	});

	describe(`${name}: files per peer`, () => {
		scenario(
			'have a limit that is told; what was there stays, and changes and removals go on',
			async (store, {reopen}) => {
				const files = Array.from({length: 10}, (_, i) => add(`s/${i}.txt`, i, 1));
				const id = await share(store, 1, files);
				expect((await store.getPeer('1')).files).toBe(10);
				const refused = await failure(
					store.applyChanges(id, {epoch, from: 10, to: 12}, batches([add('s/more.txt', 'more', 1)])),
				);
				expect(refused).toMatchObject({code: 'too-large', message: 'This server takes at most 10 files of one peer'});
				expect(refused.hint).toContain('--max-files-per-peer');
				expect((await store.register({id, name: 'x', host: 'h', port: 1})).have).toEqual({epoch, version: 10});
				expect(await names(store, 'txt')).toHaveLength(10);
				// One goes, another comes, some change: there are still ten.
				const swap = batches(
					[{op: 'remove', path: 's/0.txt'}],
					[add('s/more.txt', 'more', 1), add('s/1.txt', 'other', 1)],
				);
				expect(await store.applyChanges(id, {epoch, from: 10, to: 13}, swap)).toMatchObject({files: 10});
				expect(await names(store, 'more')).toEqual(['more.txt']);
				// A new list that is too long is refused as well, and one that is not heals it.
				const eleven = batches([...files, add('s/more.txt', 'more', 1)]);
				const whole = await failure(store.applyChanges(id, {epoch: otherEpoch, from: 0, to: 11}, eleven));
				expect(whole.code).toBe('too-large');
				const again = (await reopen?.()) ?? store;
				await again.register({id, name: 'x', host: 'h', port: 1});
				await again.setOnline(id, true);
				expect(await names(again, 'more')).toEqual(['more.txt']);
				const healed = await again.applyChanges(id, {epoch: otherEpoch, from: 0, to: 10}, batches(files));
				expect(healed).toEqual({have: {epoch: otherEpoch, version: 10}, files: 10, bytes: 10});
				await share(again, 2, files);
				expect((await again.counts()).files).toBe(20);
			},
			{filesPerPeer: 10},
		);
	});

	describe(`${name}: paths by their hashes`, () => {
		const ask = (store: IndexStore, id: string, paths: string[], bits = 48) => {
			const hashes = [...new Set(paths.map(path => pathHash(path, bits)))].sort((a, b) => a - b);
			return store.findPaths(id, {hashes: Float64Array.from(hashes), bits}).then(found =>
				// In the order of the hashes; told here by path.
				paths.map(path => found[hashes.indexOf(pathHash(path, bits))]),
			);
		};

		scenario('are found wherever they lie, of that peer alone, under the names of that peer', async store => {
			const flat = Array.from({length: 4500}, (_, i) => add(`s/flat/${i}.txt`, i));
			const deep = Array.from({length: 900}, (_, i) => add(`s/${i % 300}/d/${i}.txt`, `d${i}`));
			await share(store, 1, [...flat, ...deep, add('top.txt'), add('s/写真 é.jpg', 'same')]);
			await share(store, 2, [add('t/only here.txt'), add('t/renamed.jpg', 'same')]);
			const paths = ['s/flat/0.txt', 's/flat/4499.txt', 's/7/d/307.txt', 'top.txt', 's/写真 é.jpg'];
			expect(await ask(store, peerId(1), paths)).toEqual(paths);
			const all = [...flat, ...deep].map(({path}) => path);
			expect(await ask(store, peerId(1), all)).toEqual(all);
			const others = ['t/only here.txt', 't/renamed.jpg', 's', 's/none.txt'];
			expect(await ask(store, peerId(1), others)).toEqual([undefined, undefined, undefined, undefined]);
			expect(await ask(store, peerId(2), ['t/renamed.jpg'])).toEqual(['t/renamed.jpg']);
			expect(await ask(store, peerId(1), [])).toEqual([]);
			expect((await failure(ask(store, peerId(9), paths))).code).toBe('not-found');
		});

		scenario('are not guessed where several have one, and follow changes', async store => {
			const files = Array.from({length: 64}, (_, i) => add(`s/${i}.txt`, i));
			const id = await share(store, 1, files);
			const bits = 5;
			const alone = files.filter(
				({path}) => files.filter(other => pathHash(other.path, bits) === pathHash(path, bits)).length === 1,
			);
			const expected = files.map(file => (alone.includes(file) ? file.path : undefined));
			expect(
				await ask(
					store,
					id,
					files.map(({path}) => path),
					bits,
				),
			).toEqual(expected);
			await store.applyChanges(id, {epoch, from: 64, to: 66}, batches([{op: 'remove', path: 's/1.txt'}, add('s/new')]));
			expect(await ask(store, id, ['s/1.txt', 's/new'])).toEqual([undefined, 's/new']);
		});
	});

	describe(`${name}: presence`, () => {
		scenario('decides what is found and counted', async store => {
			const id = await share(store, 1, [add('s/song.mp3', 'song')]);
			await share(store, 2, [add('t/song.mp3', 'song'), add('t/other.mp3')]);
			expect((await store.search(parseQuery('song'))).hits).toMatchObject([{sourceCount: 2}]);
			await store.setOnline(id, false);
			expect((await store.search(parseQuery('song'))).hits).toMatchObject([{sourceCount: 1, sources: [{number: 2}]}]);
			await store.setOnline(peerId(2), false);
			expect(await store.search(parseQuery('song'))).toMatchObject({hits: [], total: 0});
			expect(await store.counts()).toEqual({peers: 2, online: 0, files: 0, bytes: 0});
			const offline = await store.sources(contentId('song'));
			expect(offline).toMatchObject({name: 'song.mp3', sourceCount: 0});
			expect(offline.sources.map(source => source.online)).toEqual([false, false]);
			await store.setOnline(id, true);
			expect(await names(store, 'song')).toEqual(['song.mp3']);
			expect((await store.sources(contentId('song'))).sources.map(source => source.online)).toEqual([true, false]);
			expect((await failure(store.setOnline(peerId(77), true))).code).toBe('not-found');
		});

		scenario('of a peer that leaves ends with its files', async store => {
			const id = await share(store, 1, [add('s/mine.txt'), add('s/both.txt', 'both')]);
			await share(store, 2, [add('s/both.txt', 'both')]);
			await store.leave(id);
			await store.leave(peerId(55));
			expect(await names(store, 'mine')).toEqual([]);
			expect((await store.search(parseQuery('both'))).hits).toMatchObject([{sourceCount: 1}]);
			await share(store, 1, [add('s/back.txt')]);
			expect((await names(store, 'txt')).sort()).toEqual(['back.txt', 'both.txt']);
			expect((await store.getPeer('1')).files).toBe(1);
		});

		scenario('is lost by a restart, all else stays', async (store, {reopen}) => {
			if (!reopen) return;
			await share(store, 1, [add('s/a.txt', 'a', 7)], 'alice');
			await store.register({id: peerId(2), name: 'bob', host: 'h', port: 1});
			const again = await reopen();
			expect(await again.counts()).toEqual({peers: 2, online: 0, files: 0, bytes: 0});
			expect(await names(again, 'a')).toEqual([]);
			const back = await again.register({id: peerId(1), name: 'alice', host: 'h', port: 1});
			expect(back).toEqual({number: 1, have: {epoch, version: 1}});
			await again.setOnline(peerId(1), true);
			expect(await names(again, 'a')).toEqual(['a.txt']);
			expect((await again.register({id: peerId(3), name: 'carol', host: 'h', port: 1})).number).toBe(3);
			expect(await again.counts()).toEqual({peers: 3, online: 1, files: 1, bytes: 7});
		});
	});

	describe(`${name}: search`, () => {
		scenario('matches words from their start, in any order, without case and accents', async store => {
			await share(store, 1, [add('music/Café del Mar - Volumen Ocho.flac'), add('music/other.flac')]);
			for (const query of [
				'cafe',
				'CAFÉ',
				'mar caf',
				'vol och',
				'volumen ocho',
				'music caf',
				'café del mar volumen ocho flac',
			])
				expect(await names(store, query), query).toEqual(['Café del Mar - Volumen Ocho.flac']);
			for (const query of ['cafes', 'café und', 'caf0']) expect(await names(store, query), query).toEqual([]);
		});

		scenario('splits at punctuation, case and digits', async store => {
			await share(store, 1, [add('s/my-fancyFile_name.v2IMG20240115.tar.gz')]);
			for (const query of [
				'my',
				'fancy',
				'file',
				'name',
				'img 2024',
				'img2024',
				'fancyfile',
				'v2',
				'gz',
				'tar.gz',
				'my-fancy',
			])
				expect(await names(store, query), query).toHaveLength(1);
		});

		scenario('finds scripts without spaces by any two letters, or one', async store => {
			await share(store, 1, [add('s/富士山の写真.jpg'), add('s/ภาษาไทย.txt'), add('s/한국어노래.mp3')]);
			for (const query of ['富士山', '士山', '写真', '山', '真', '富士山の写真'])
				expect(await names(store, query), query).toEqual(['富士山の写真.jpg']);
			expect(await names(store, 'ไทย')).toEqual(['ภาษาไทย.txt']);
			expect(await names(store, '노래')).toEqual(['한국어노래.mp3']);
			expect(await names(store, '山富')).toEqual([]);
		});

		scenario('finds three letters or more inside a word, after better matches', async store => {
			await share(store, 1, [add('s/unbelievable.txt'), add('s/believer.txt'), add('s/believe.txt'), add('s/x.txt')]);
			expect(await names(store, 'believe')).toEqual(['believe.txt', 'believer.txt']);
			expect((await names(store, 'believ')).at(-1)).toBe('unbelievable.txt');
			expect(await names(store, 'believ')).toHaveLength(3);
			expect(await names(store, 'elievab')).toEqual(['unbelievable.txt']);
			expect(await names(store, 'li')).toEqual([]);
		});

		scenario('knows phrases and exclusions', async store => {
			await share(store, 1, [add('s/red house blue.txt'), add('s/house red.txt'), add('s/red house live.txt')]);
			expect((await names(store, '"red house"')).sort()).toEqual(['red house blue.txt', 'red house live.txt']);
			expect(await names(store, '"house red"')).toEqual(['house red.txt']);
			expect(await names(store, '"red house" -live')).toEqual(['red house blue.txt']);
			expect(await names(store, 'red -"red house"')).toEqual(['house red.txt']);
		});

		scenario('filters by ending, kind, size, peer and whole name', async store => {
			await share(
				store,
				1,
				[add('s/a.FLAC', 'a', 5e8), add('s/b.mp3', 'b', 4e6), add('s/a.flac.txt', 'c', 10)],
				'alice',
			);
			await share(store, 2, [add('s/a.mkv', 'd', 2e9), add('s/1.txt', 'e', 0), add('s/11.txt', 'f', 3)], 'bob');
			const cases: [query: string, expected: string[]][] = [
				['ext:flac', ['a.FLAC']],
				['ext:flac,mp3', ['a.FLAC', 'b.mp3']],
				['kind:audio', ['a.FLAC', 'b.mp3']],
				['kind:audio a', ['a.FLAC']],
				['kind:video kind:audio', ['a.FLAC', 'a.mkv', 'b.mp3']],
				['size:>100MB', ['a.FLAC', 'a.mkv']],
				['size:>=500MB size:<1GB', ['a.FLAC']],
				['size:0', ['1.txt']],
				['size:1..20', ['11.txt', 'a.flac.txt']],
				['name:1.txt', ['1.txt']],
				['name:1.TXT', ['1.txt']],
				['name:1', []],
				['peer:bob', ['1.txt', '11.txt', 'a.mkv']],
				['peer:1 a', ['a.FLAC', 'a.flac.txt']],
				['peer:alice peer:bob a', ['a.FLAC', 'a.flac.txt', 'a.mkv']],
			];
			for (const [query, expected] of cases) expect((await names(store, query)).sort(), query).toEqual(expected);
			expect((await failure(store.search(parseQuery('peer:nobody x')))).code).toBe('not-found');
		});

		scenario('groups by content under the best of all names', async store => {
			await share(store, 1, [add('s/holiday.jpg', 'pic', 9), add('s/copy of holiday.jpg', 'pic', 9)], 'alice');
			await share(store, 2, [add('t/beach.jpg', 'pic', 9)], 'bob');
			const {hits, total, more} = await store.search(parseQuery('beach'));
			expect({total, more}).toEqual({total: 1, more: false});
			expect(hits).toMatchObject([{content: contentId('pic'), name: 'beach.jpg', size: 9, sourceCount: 2}]);
			expect(hits[0]?.sources.map(({name, number, port}) => [name, number, port]).sort()).toEqual([
				['alice', 1, 1001],
				['bob', 2, 1002],
			]);
			expect(await names(store, 'holiday')).toEqual(['holiday.jpg']);
			await store.setOnline(peerId(2), false);
			expect(await names(store, 'beach')).toEqual([]);
			expect(await names(store, 'holiday')).toEqual(['holiday.jpg']);
		});

		scenario('finds a content by each of its names, also one that came after very many paths', async store => {
			for (let seed = 1; seed <= 30; seed++) await share(store, seed, [add(`s/folder ${seed}/song.mp3`, 'same', 5)]);
			await share(store, 31, [add('s/mine/a melody.mp3', 'same', 5)]);
			expect(await names(store, 'melody')).toEqual(['a melody.mp3']);
			expect(await names(store, 'song')).toEqual(['song.mp3']);
			expect(await names(store, 'elod')).toEqual(['a melody.mp3']);
		});

		scenario('believes the size of a content that most online sources claim', async store => {
			await share(store, 1, [add('s/lie.txt', 'x', 1)]);
			expect((await store.search(parseQuery('txt'))).hits).toMatchObject([{name: 'lie.txt', size: 1}]);
			await share(store, 2, [add('s/true.txt', 'x', 9)]);
			await share(store, 3, [add('s/true.txt', 'x', 9), add('s/other.txt', 'y', 1)]);
			const {hits, total} = await store.search(parseQuery('txt -other'));
			expect({hits, total}).toMatchObject({total: 1, hits: [{name: 'true.txt', size: 9, sourceCount: 2}]});
			expect(await names(store, 'lie')).toEqual([]);
			const asked = await store.sources(contentId('x'));
			expect(asked).toMatchObject({size: 9, sourceCount: 2, sources: [{number: 2}, {number: 3}]});
			for (const seed of [2, 3]) await store.setOnline(peerId(seed), false);
			expect(await names(store, 'lie')).toEqual(['lie.txt']);
		});

		scenario('ranks by match, then online sources, then age', async store => {
			await share(store, 1, [
				add('s/tonight.txt', 'inside'),
				add('s/nights of x.txt', 'start'),
				add('night/y.txt', 'folder'),
				add('s/a night out.txt', 'whole1'),
				add('s/night music.txt', 'whole2'),
				add('s/the night.txt', 'whole3'),
				add('s/night.txt', 'exact'),
			]);
			await share(store, 2, [add('s/night music.txt', 'whole2')]);
			const found = async () => (await store.search(parseQuery('night'))).hits.map(hit => hit.content);
			const ranked = (...list: string[]) => list.map(contentId);
			expect(await found()).toEqual(ranked('exact', 'whole2', 'whole1', 'whole3', 'folder', 'start', 'inside'));
			await store.setOnline(peerId(2), false);
			expect(await found()).toEqual(ranked('exact', 'whole1', 'whole2', 'whole3', 'folder', 'start', 'inside'));
		});

		scenario('pages through everything once while peers come and go', async store => {
			const files = Array.from({length: 230}, (_, i) => add(`s/page ${i} ${i % 3 === 0 ? 'pages' : 'x'}.txt`, `p${i}`));
			await share(store, 1, files);
			await share(store, 2, files.slice(50, 120));
			const seen: string[] = [];
			let cursor: string | undefined;
			let pages = 0;
			do {
				const page = await store.search(parseQuery('page'), {limit: 40, cursor});
				expect(page.total).toBeGreaterThanOrEqual(page.more ? page.hits.length : 230);
				seen.push(...page.hits.map(hit => hit.content));
				cursor = page.cursor;
				pages++;
				await share(store, 10 + pages, [add(`s/another ${pages}.txt`)]);
			} while (cursor);
			expect(pages).toBe(6);
			expect(new Set(seen).size).toBe(230);
			expect(seen).toHaveLength(230);
			expect((await failure(store.search(parseQuery('x'), {cursor: 'e30'}))).code).toBe('bad-request');
		});

		scenario('shows nothing twice and leaves nothing out while sources of what is listed come and go', async store => {
			const files = Array.from({length: 200}, (_, i) => add(`s/page ${i}.txt`, `p${i}`));
			await share(store, 1, files);
			for (const seed of [2, 3]) await share(store, seed, files.slice(seed * 20, seed * 20 + 60));
			const seen: string[] = [];
			let cursor: string | undefined;
			for (let page = 0; page === 0 || cursor; page++) {
				const {hits, cursor: next} = await store.search(parseQuery('page'), {limit: 30, cursor});
				seen.push(...hits.map(hit => hit.content));
				cursor = next;
				await store.setOnline(peerId(2), page % 2 === 1);
				await store.setOnline(peerId(3), page % 3 === 1);
			}
			expect(seen).toHaveLength(200);
			expect(new Set(seen).size).toBe(200);
		});

		scenario('answers in JSON what its schema promises, with some of the sources and all counted', async store => {
			for (let seed = 1; seed <= limits.sourcesPerSearchHit + 3; seed++) {
				const id = peerId(seed);
				await store.register({
					id,
					name: `"péer\n${seed}"`,
					host: seed === 1 ? '127.0.0.1' : '10.0.0.1',
					port: 1000 + seed,
				});
				const files = [add(`s/shared "ü" 富士.txt`, 'shared', 7), add(`s/own ${seed}.txt`)];
				await store.applyChanges(id, {epoch, from: 0, to: 2}, batches(files));
				await store.setOnline(id, true);
			}
			const read = async (query: string, here?: string) => {
				const {json, total, more} = await store.searchText(parseQuery(query), {here});
				const page = searchResponseSchema.parse(JSON.parse(Buffer.from(json).toString()));
				expect(page).toMatchObject({total, more});
				return page;
			};
			const {hits} = await read('shared');
			expect(hits).toEqual((await store.search(parseQuery('shared'))).hits);
			expect(hits).toMatchObject([{sourceCount: limits.sourcesPerSearchHit + 3, name: 'shared "ü" 富士.txt'}]);
			expect(hits[0]?.sources).toHaveLength(limits.sourcesPerSearchHit);
			const named = async (sources: number) =>
				(await store.search(parseQuery('shared'), {sources})).hits[0]?.sources.length;
			expect([await named(1), await named(limits.sourcesPerSearchHit + 2)]).toEqual([
				1,
				limits.sourcesPerSearchHit + 2,
			]);
			expect(hits[0]?.sources[0]).toMatchObject({number: 1, name: '"péer\n1"', host: '127.0.0.1', port: 1001});
			expect((await read('shared', '192.168.1.9')).hits[0]?.sources[0]?.host).toBe('192.168.1.9');
			expect((await read('shared', '192.168.1.9')).hits[0]?.sources[1]?.host).toBe('10.0.0.1');
			expect((await store.sources(contentId('shared'))).sources).toHaveLength(limits.sourcesPerSearchHit + 3);
		});

		scenario('never answers from what it remembers once that has changed', async store => {
			const id = await share(store, 1, [add('s/first name.txt', 'x', 5)]);
			const found = async () => (await store.search(parseQuery('name'))).hits;
			expect(await found()).toMatchObject([{name: 'first name.txt', sources: [{name: 'peer1', port: 1001}]}]);
			await store.register({id, name: 'other', host: '10.0.0.9', port: 77});
			expect(await found()).toMatchObject([{sources: [{name: 'other', host: '10.0.0.9', port: 77}]}]);
			const renamed: CatalogChange[] = [{op: 'remove', path: 's/first name.txt'}, add('s/second name.txt', 'x', 5)];
			await store.applyChanges(id, {epoch, from: 1, to: 3}, batches(renamed));
			expect(await found()).toMatchObject([{name: 'second name.txt', sources: [{path: 's/second name.txt'}]}]);
			await share(store, 2, [add('t/their name.txt', 'x', 5)]);
			expect(await found()).toMatchObject([{sourceCount: 2}]);
			await store.leave(id);
			expect(await found()).toMatchObject([{name: 'their name.txt', sourceCount: 1, sources: [{number: 2}]}]);
		});

		scenario('takes text for text, whatever it means elsewhere', async store => {
			await share(store, 1, [add('s/it\'s 100% "OR" (AND) NOT near* ^x.txt'), add('s/plain.txt')]);
			for (const query of ['OR', 'AND', 'NOT', 'near*', '100%', "it's", '(and)', '^x', "'; DROP TABLE file; --"])
				await store.search(parseQuery(query));
			expect(await names(store, 'or and not near')).toHaveLength(1);
			expect(await names(store, 'plain')).toHaveLength(1);
		});
	});

	describe(`${name}: browse`, () => {
		scenario('lists folders before files, by name, with sums, page by page', async store => {
			await share(store, 1, [
				add('share/b.txt', 'b', 2),
				add('share/a.txt', 'a', 1),
				add('share/sub/c.txt', 'c', 4),
				add('share/sub/deep/d.txt', 'd', 8),
				add('share/Other/e.txt', 'e', 16),
				add('second/f.txt', 'f', 32),
			]);
			expect((await store.browse('1', '')).entries).toEqual([
				{type: 'folder', path: 'second', size: 32, files: 1},
				{type: 'folder', path: 'share', size: 31, files: 5},
			]);
			const expected = ['share/Other', 'share/sub', 'share/a.txt', 'share/b.txt'];
			expect((await store.browse('1', 'share')).entries.map(entry => entry.path)).toEqual(expected);
			expect((await store.browse('1', 'share')).entries[1]).toEqual({
				...{type: 'folder', path: 'share/sub', size: 12, files: 2},
			});
			for (const limit of [1, 2, 3]) {
				const seen: string[] = [];
				let cursor: string | undefined;
				do {
					const page = await store.browse('1', 'share', {limit, cursor});
					seen.push(...page.entries.map(entry => entry.path));
					cursor = page.cursor;
				} while (cursor);
				expect(seen).toEqual(expected);
			}
			const file = {type: 'file', path: 'share/a.txt', size: 1, content: contentId('a')};
			expect((await store.browse('peer1', 'share/a.txt')).entries).toEqual([file]);
		});

		scenario('lists a folder of very many files page by page in order, also while it changes', async store => {
			const names = Array.from({length: 21_000}, (_, i) => `${(i * 7919) % 21_000} é${i % 7 ? '' : '写'}.txt`);
			const id = await share(store, 1, [...names.map(name => add(`s/${name}`, name, 1)), add('s/folder/x.txt')]);
			const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
			const expected = ['s/folder', ...names.map(name => `s/${name}`).sort(byBytes)];
			let version = names.length + 1;
			const change = async (change: CatalogChange) => {
				await store.applyChanges(id, {epoch, from: version, to: version + 1}, batches([change]));
				version++;
			};
			const seen: string[] = [];
			let cursor: string | undefined;
			for (let page = 0; page === 0 || cursor; page++) {
				const {entries, cursor: next} = await store.browse('1', 's', {limit: 1000, cursor});
				seen.push(...entries.map(entry => entry.path));
				cursor = next;
				// What comes before the cursor or after it, goes, or becomes another file while somebody turns pages.
				if (page === 3) await change(add('s/!before all.txt'));
				if (page === 5) await change(add('s/~after all.txt'));
				if (page === 7) await change({op: 'remove', path: expected.at(-1) ?? ''});
				if (page === 9) await change(add(expected.at(-2) ?? '', 'another content', 5));
			}
			expect(seen).toEqual([...expected.slice(0, -1), 's/~after all.txt']);
			const last = await store.browse('1', 's', {cursor: undefined, limit: 1000});
			expect(last.entries[1]?.path).toBe('s/!before all.txt');
			expect((await store.browse('1', expected.at(-2) ?? '')).entries).toMatchObject([{size: 5}]);
		});

		scenario('says what is not there, and follows removals', async store => {
			const id = await share(store, 1, [add('s/only/a.txt', 'a', 1), add('s/b.txt', 'b', 2)]);
			for (const path of ['nothing', 's/none', 's/b.txt/x', 's/onl'])
				expect((await failure(store.browse('1', path))).code, path).toBe('not-found');
			expect((await failure(store.browse('9', ''))).code).toBe('not-found');
			await store.applyChanges(id, {epoch, from: 2, to: 3}, batches([{op: 'remove', path: 's/only/a.txt'}]));
			expect((await store.browse('1', 's')).entries.map(entry => entry.path)).toEqual(['s/b.txt']);
			await store.register({id: peerId(2), name: 'empty', host: 'h', port: 1});
			expect((await store.browse('2', '')).entries).toEqual([]);
		});
	});
}
