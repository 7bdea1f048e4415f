// Searches that nobody waits for any more, over real connections: overtaken by the next keystroke, or left by their asker.
import {once} from 'node:events';
import path from 'node:path';
import {connect} from 'node:tls';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import type {RequestEvent} from '../../source/core/events.ts';
import {mergeRouters} from '../../source/engine/directory.ts';
import {TypedSearches} from '../../source/engine/typed-searches.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {makePeer, request, startServer, type TestServer, temporaryFolder, until} from '../helpers/index.ts';

/** More than a reader takes at once. */
const many = 40;

/** An index whose only reader is busy with other searches whenever one comes, and which begins when it is let go. */
class BusyStore extends SqliteStore {
	/** Texts of the searches that have come, in their order. */
	readonly came: string[] = [];
	readonly #go = Promise.withResolvers<void>();

	letGo(): void {
		this.#go.resolve();
	}

	override async searchText(...[query, options]: Parameters<SqliteStore['searchText']>) {
		this.came.push(query.text);
		await this.#go.promise;
		// In the same turn of the loop, so that what comes now has to wait for its turn.
		for (let at = 0; at < many; at++) super.searchText(parseQuery(`filler ${at} before ${query.text}`)).catch(() => 0);
		return super.searchText(query, options);
	}
}

let store: BusyStore;
let server: TestServer;
let remove: () => void;
let told: RequestEvent[];

beforeEach(async () => {
	const temporary = temporaryFolder();
	remove = temporary.remove;
	store = new BusyStore(path.join(temporary.folder, 'index.db'), {readers: 1});
	await store.open();
	server = await startServer({store});
	told = [];
	server.bus.on('request', event => told.push(event));
});
afterEach(async () => {
	store.letGo();
	await server.stop();
	await store.close();
	remove();
});

const search = (q: string, typing?: string) =>
	request(server, `/v1/search?q=${q}${typing === undefined ? '' : `&typing=${typing}`}`);

test('an overtaken search is dropped while it waits; those of other boxes and of none are not', async () => {
	const first = search('a', 'box');
	await until('it has come', () => store.came.includes('a'));
	const other = search('b', 'other');
	const none = search('c');
	const next = search('d', 'box');
	await until('all have come', () => store.came.length === 4);
	store.letGo();
	expect(await first).toMatchObject({status: 499, body: {code: 'cancelled'}});
	for (const answer of [other, none, next]) expect(await answer).toMatchObject({status: 200, body: {total: 0}});
	// Nobody's failure.
	expect(server.app.stats().errors).toBe(0);
});

test('two who ask the same share an answer, also when one of them is overtaken', async () => {
	const overtaken = search('same', 'box');
	await until('it has come', () => store.came.length === 1);
	const shared = search('same');
	const next = search('next', 'box');
	await until('all have come', () => store.came.length === 3);
	store.letGo();
	for (const answer of [overtaken, shared, next]) expect((await answer).status).toBe(200);
});

test('a search whose asker has gone is not looked up', async () => {
	const socket = connect({host: '127.0.0.1', port: server.port, rejectUnauthorized: false});
	await once(socket, 'secureConnect');
	socket.on('error', () => undefined);
	socket.write('GET /v1/search?q=gone HTTP/1.1\r\nHost: x\r\n\r\n');
	await until('it has come', () => store.came.length === 1);
	socket.destroy();
	await until('its connection has ended', () => server.app.stats().connections === 0);
	store.letGo();
	await until('it is over', () => told.length === 1);
	expect(told[0]).toMatchObject({verb: 'SEARCH', argument: 'gone', result: 'cancelled', ok: true});
});

test('typing ends the search before at once, keeps its connection, and has the server drop it', async () => {
	const peer = await makePeer(server.address);
	try {
		const router = mergeRouters([peer.index]);
		const box = new TypedSearches();
		const first = box.search(router, 'hol', {limit: 50}).catch(error => error);
		await until('it has come', () => store.came.includes('hol'));
		const next = box.search(router, 'holiday', {limit: 50});
		expect(await first).toMatchObject({code: 'cancelled'});
		await until('the next one has come', () => store.came.includes('holiday'));
		// The one that looked who listens there has ended.
		await until('each has its connection', () => server.app.stats().connections === 2);
		store.letGo();
		expect(await next).toMatchObject({hits: [], total: 0});
		await until('both are over', () => told.length === 2);
		const results = Object.fromEntries(told.map(({argument, result}) => [argument, result]));
		expect(results).toEqual({hol: 'cancelled', holiday: '0 hits'});
		// On a connection that is there already.
		await box.search(router, 'again', {});
		expect(server.app.stats().connections).toBe(2);
	} finally {
		await peer.stop();
	}
});
