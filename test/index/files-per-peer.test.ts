// The operator's limit on files per peer, over the wire: what is refused, what stays, and how the peer takes it.
import path from 'node:path';
import {afterEach, describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {add, makePeer, startServer, temporaryFolder, until} from '../helpers/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const stores: [name: string, make: (filesPerPeer: number) => Promise<IndexStore>][] = [
	['memory', async filesPerPeer => new MemoryStore({filesPerPeer})],
	[
		'sqlite',
		async filesPerPeer => {
			const {folder, remove} = temporaryFolder();
			const store = new SqliteStore(path.join(folder, 'index.db'), {filesPerPeer});
			await store.open();
			cleanups.push(async () => {
				await store.close();
				remove();
			});
			return store;
		},
	],
];

describe.each(stores)('with the %s store', (_name, make) => {
	test('a peer with too many files is told once, stays online with those of before, and is whole again with fewer', async () => {
		const store = await make(100);
		const server = await startServer({store});
		cleanups.push(server.stop);
		const peer = await makePeer(server.address, {
			files: Array.from({length: 100}, (_, i) => add(`s/${i}.txt`, i)),
			name: 'alice',
		});
		cleanups.push(peer.stop);
		const warnings: string[] = [];
		peer.bus.on('log', ({level, message}) => level === 'warn' && warnings.push(message));
		const uploads: string[] = [];
		server.bus.on('request', ({verb, result}) => verb === 'PUBLISH' && uploads.push(result ?? ''));
		peer.index.start();
		await until('it is online', () => peer.index.link().state === 'online');

		peer.catalog.change(add('s/one too many.txt'));
		peer.index.catalogChanged();
		await until('it was told', () => warnings.length === 1);
		expect(warnings[0]).toBe(
			`${server.address} does not list all that is shared: This server takes at most 100 files of one peer. ` +
				'Share fewer, or ask who runs it to raise --max-files-per-peer',
		);
		expect(peer.index.link().state).toBe('online');
		expect((await peer.index.search('txt')).total).toBe(100);
		expect(uploads.at(-1)).toBe('too-large');

		// With as many again nothing is sent; with fewer all is.
		const before = uploads.length;
		peer.catalog.change({op: 'remove', path: 's/0.txt'});
		peer.catalog.change({op: 'remove', path: 's/1.txt'});
		peer.index.catalogChanged();
		await until('it is whole', async () => (await store.counts()).files === 99);
		expect(uploads).toHaveLength(before + 1);
		expect((await peer.index.search('many')).total).toBe(1);
		expect((await peer.index.search('name:0.txt')).total).toBe(0);
		expect(warnings).toHaveLength(1);
	});

	test('a first list that is far too long ends with the answer, not with a broken connection', async () => {
		const store = await make(1000);
		const server = await startServer({store});
		cleanups.push(server.stop);
		const files = Array.from({length: limits.catalogBatch + 5000}, (_, i) => add(`s/${i}.txt`, i));
		const peer = await makePeer(server.address, {files, name: 'alice'});
		cleanups.push(peer.stop);
		const warnings: string[] = [];
		peer.bus.on('log', ({level, message}) => level === 'warn' && warnings.push(message));
		peer.index.start();
		await until('it was told', () => warnings.length > 0);
		await until('it is online', () => peer.index.link().state === 'online');
		expect(warnings[0]).toContain('This server takes at most 1,000 files of one peer');
		expect((await store.getPeer('alice')).files).toBeLessThanOrEqual(1000);
		expect(server.app.stats().errors).toBe(1);
	});
});
