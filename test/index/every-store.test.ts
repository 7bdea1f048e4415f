// What an index server promises whatever its store is made of, over a running server: registering, presence, paging,
// totals, events, counters, a stop. What each store answers by itself is in test/conformance/index-store.ts.
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {connect} from 'node:tls';
import {fileURLToPath} from 'node:url';
import {beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import type {RequestEvent} from '../../source/core/events.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {
	add,
	contentId,
	makePeer,
	request,
	startServer,
	TestCatalog,
	type TestPeer,
	type TestServer,
	until,
} from '../helpers/index.ts';
import {type StorePlace, storeKinds} from '../helpers/index-stores.ts';

const epoch = 'ab'.repeat(16);

describe.each(storeKinds().filter(({isHere}) => isHere))('an index server over $name', ({place: newPlace, isKept}) => {
	let place: StorePlace;
	let store: IndexStore;
	let server: TestServer;
	let requests: RequestEvent[];
	/** Stops the server and closes its store. */
	let stop: () => Promise<void>;

	/** `leaseSeconds`: an hour, so that nothing here ends because it lapses. */
	async function start(): Promise<void> {
		const opened = await place.open();
		const started = await startServer({store: opened, leaseSeconds: 3600});
		let stopped: Promise<void> | undefined;
		stop = () => (stopped ??= started.stop().then(() => opened.close()));
		onTestFinished(stop);
		[store, server, requests] = [opened, started, []];
		server.bus.on('request', event => requests.push(event));
	}

	beforeEach(async () => {
		place = await newPlace();
		await start();
	});

	/** A peer that is online and whose catalog the server has. */
	async function online(name: string, files: CatalogChange[] | TestCatalog, identity?: Identity): Promise<TestPeer> {
		const catalog = files instanceof TestCatalog ? files : new TestCatalog(files);
		const peer = await makePeer(server.address, {name, catalog, identity});
		onTestFinished(peer.stop);
		peer.index.start();
		await until(`${name} is online`, () => peer.index.link().state === 'online');
		await until('all is taken', async () => (await store.getPeer(peer.identity.id)).files === catalog.files);
		return peer;
	}

	async function search(q: string, more: Record<string, string> = {}) {
		const {status, body} = await request(server, `/v1/search?${new URLSearchParams({q, ...more})}`);
		expect(status, JSON.stringify(body)).toBe(200);
		return body as {hits: {content: string; name: string}[]; total: number; more: boolean; cursor?: string};
	}

	const published = () => requests.filter(({verb}) => verb === 'PUBLISH').map(({argument}) => argument);

	test('ten changed files are ten lines sent; with none changed a peer is back without sending any', async () => {
		const files = Array.from({length: 3000}, (_, at) => add(`s/file ${at}.txt`, at));
		const first = await online('alice', files);
		for (let at = 0; at < 10; at++) first.catalog.change(add(`s/file ${at}.txt`, `other ${at}`));
		first.index.catalogChanged();
		await until('they are sent', () => published().length === 2);
		await first.stop();
		await until('it is offline', async () => (await store.counts()).online === 0);
		await online('alice', first.catalog, first.identity);
		expect(published()).toEqual(['+3000 -0 files', '+10 -0 files']);
		expect((await search('name:"file 3.txt"')).hits).toMatchObject([{content: contentId('other 3')}]);
	});

	test('a peer whose epoch or version the server does not know is whole again by itself', async () => {
		const {catalog, identity, stop: leave} = await online('alice', [add('s/first.txt')]);
		await leave();
		const rebuilt = new TestCatalog([add('s/second.txt'), add('s/third.txt')]);
		rebuilt.epoch = '77'.repeat(16);
		const second = await online('alice', rebuilt, identity);
		expect((await search('txt')).hits.map(({name}) => name).sort()).toEqual(['second.txt', 'third.txt']);
		// The server has another list meanwhile, as when the data folder was copied.
		async function* other() {
			yield [add('s/other.txt')];
		}
		await store.applyChanges(identity.id, {epoch: '99'.repeat(16), from: 0, to: 5}, other());
		rebuilt.change(add('s/fourth.txt'));
		second.index.catalogChanged();
		await until('it is healed', async () => (await search('fourth')).total === 1);
		await until('the other list is gone', async () => (await search('other')).total === 0);
		expect((await search('txt')).hits.map(({name}) => name).sort()).toEqual(['fourth.txt', 'second.txt', 'third.txt']);
		await second.stop();
		// An older copy of a catalog: its version is behind.
		const older = new TestCatalog([add('s/old.txt')]);
		older.epoch = rebuilt.epoch;
		await online('alice', older, identity);
		expect((await search('txt')).hits.map(({name}) => name)).toEqual(['old.txt']);
		expect(catalog.epoch).not.toBe(rebuilt.epoch);
	});

	test('a line that does not fit is named, and the rest is kept', async () => {
		const identity = await temporaryIdentity();
		const body = JSON.stringify({name: 'alice', port: 4000, epoch, version: 0});
		const headers = {'content-type': 'application/json'};
		await request(server, '/v1/peers/me', {method: 'PUT', headers, body, identity});
		const lines = [
			JSON.stringify(add('s/good.txt')),
			'{"op":',
			JSON.stringify(add('../up')),
			JSON.stringify(add('s/b')),
		];
		const answer = await request(server, `/v1/peers/me/files?epoch=${epoch}&from=0&to=4`, {
			...{method: 'POST', headers: {'content-type': 'application/x-ndjson'}, body: lines.join('\n'), identity},
		});
		expect(answer).toMatchObject({status: 200, body: {files: 2, rejectedCount: 2, have: {epoch, version: 4}}});
		expect(answer.body.rejected).toMatchObject([
			{line: 2, code: 'bad-request'},
			{line: 3, code: 'bad-name'},
		]);
		expect((await request(server, '/v1/peers/alice/files?path=s')).body.entries).toHaveLength(2);
	});

	test('a bad query is an error that points at the place', async () => {
		for (const [query, position, length] of [
			['good kind:nonsense', 5, 13],
			['写真 size:huge more', 3, 9],
			['name "never closed', 5, 13],
		] as const) {
			const {status, body} = await request(server, `/v1/search?${new URLSearchParams({q: query})}`);
			expect({query, status, ...body}).toMatchObject({
				query,
				status: 400,
				code: 'bad-query',
				details: {position, length},
			});
		}
	});

	test('pages hold everything once while peers connect and go, and totals are right or "more than"', async () => {
		const files = Array.from({length: 260}, (_, at) => add(`s/page ${at}.txt`, `p${at}`));
		await online('alice', files);
		const identity = await temporaryIdentity();
		const catalog = new TestCatalog(files.slice(30, 150));
		await online('bob', catalog, identity).then(bob => bob.stop());
		const seen: string[] = [];
		let cursor: string | undefined;
		let bob: TestPeer | undefined;
		for (let page = 0; page === 0 || cursor; page++) {
			const answer = await search('page', {limit: '60', ...(cursor && {cursor})});
			if (answer.more) expect(answer.total).toBeLessThanOrEqual(260);
			else expect(answer.total).toBe(260);
			seen.push(...answer.hits.map(({content}) => content));
			cursor = answer.cursor;
			await bob?.stop();
			bob = bob ? undefined : await online('bob', catalog, identity);
		}
		expect(seen).toHaveLength(260);
		expect(new Set(seen).size).toBe(260);
		// What fits a page is counted exactly.
		for (const [query, total] of [
			['name:"page 7.txt"', 1],
			['"page 25"', 1],
			['nothing', 0],
		] as const)
			expect([query, await search(query, {limit: '200'})]).toMatchObject([query, {total, more: false}]);
	});

	test('a peer whose process is killed is offline, and what it shared is kept for it', async () => {
		const helper = fileURLToPath(new URL('../helpers/index-peer-process.ts', import.meta.url));
		const child = fork(helper, [server.address, 'victim']);
		await once(child, 'message');
		expect((await search('victim')).total).toBe(1);
		child.kill('SIGKILL');
		await until('it is offline', async () => (await search('victim')).total === 0);
		expect((await request(server, '/v1/peers/victim')).body).toMatchObject({online: false, files: 1, number: 1});
		expect((await request(server, '/v1/peers/victim/files?path=s')).body.entries).toHaveLength(1);
		expect((await request(server, '/v1')).body).toMatchObject({peers: 1, online: 0, files: 0});
	});

	test('who listens hears of peers and counts, and the counters have latencies', async () => {
		const socket = connect({host: '127.0.0.1', port: server.port, rejectUnauthorized: false});
		onTestFinished(() => void socket.destroy());
		await once(socket, 'secureConnect');
		let text = '';
		socket.on('data', chunk => {
			text += chunk;
		});
		socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
		await until('the stream began', () => text.includes('event: hello'));
		const alice = await online('alice', [add('s/a.txt', 'a', 7)]);
		await until('it is told', () => /event: peer-joined\ndata: .*"alice"/.test(text));
		await until('the counts are', () => /event: counts\ndata: .*"files":1,"bytes":7/.test(text));
		expect((await search('nothing here')).total).toBe(0);
		await alice.stop();
		await until('it is told', () => /event: peer-left\ndata: .*"alice"/.test(text));

		expect(await request(server, '/healthz')).toMatchObject({status: 200, body: {status: 'ok'}});
		const metrics = (await request(server, '/metrics')).text;
		expect(metrics).toContain('p2p_peers 1\n');
		expect(metrics).toContain('p2p_peers_online 0\n');
		const line = (name: string) => Number(new RegExp(`^p2p_request_seconds_${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
		expect(line('count{verb="SEARCH"}')).toBe(1);
		expect(line('bucket{verb="SEARCH",le="\\+Inf"}')).toBe(1);
		expect(line('sum{verb="SEARCH"}')).toBeGreaterThan(0);
		const buckets = [...metrics.matchAll(/^p2p_request_seconds_bucket\{verb="PUBLISH",le="[\d.]+"\} (\d+)$/gm)];
		const counts = buckets.map(([, count]) => Number(count));
		expect(counts.length).toBeGreaterThan(10);
		expect(counts).toEqual(counts.toSorted((a, b) => a - b));
	});

	test('searches are answered while a large catalog comes in', async () => {
		await online('bob', [add('b/needle.txt')]);
		const files = Array.from({length: 40_000}, (_, at) => add(`s/album ${at % 400}/track number ${at}.flac`, at));
		const coming = online('alice', files);
		let isThere = false;
		void coming.finally(() => {
			isThere = true;
		});
		let answered = 0;
		do {
			expect((await search('needle')).hits).toMatchObject([{name: 'needle.txt'}]);
			answered++;
		} while (!isThere);
		await coming;
		expect(answered).toBeGreaterThan(1);
		expect((await search('name:"track number 39999.flac"')).total).toBe(1);
	});

	test.skipIf(!isKept)('a stop lets an upload finish, and the next start has all of it', async () => {
		const identity = await temporaryIdentity();
		const body = JSON.stringify({name: 'alice', port: 4000, epoch, version: 0});
		await request(server, '/v1/peers/me', {
			...{method: 'PUT', headers: {'content-type': 'application/json'}, body, identity},
		});
		const socket = connect({
			...{host: '127.0.0.1', port: server.port, rejectUnauthorized: false},
			...{key: identity.keyPem, cert: identity.certificatePem},
		});
		onTestFinished(() => void socket.destroy());
		await once(socket, 'secureConnect');
		const lines = [add('s/first.txt'), add('s/second.txt')].map(change => `${JSON.stringify(change)}\n`);
		const before = server.app.stats().bytesIn;
		socket.write(
			[
				`POST /v1/peers/me/files?epoch=${epoch}&from=0&to=2 HTTP/1.1`,
				...['Host: x', 'Content-Type: application/x-ndjson', `Content-Length: ${lines.join('').length}`, '', ''],
			].join('\r\n') + lines[0],
		);
		// Its head alone is longer than that.
		await until('it has begun', () => server.app.stats().bytesIn > before + 150);
		const stopped = stop();
		await until('nobody else is let in', () =>
			request(server, '/v1').then(
				() => false,
				() => true,
			),
		);
		socket.write(lines[1] ?? '');
		let answer = '';
		for await (const chunk of socket) answer += chunk;
		expect(answer).toContain('HTTP/1.1 200');
		expect(answer).toContain('"files":2');
		await stopped;
		await start();
		expect(await store.getPeer(identity.id)).toMatchObject({number: 1, files: 2});
		const again = await store.register({id: identity.id, name: 'alice', host: '127.0.0.1', port: 4000});
		expect(again).toEqual({number: 1, have: {epoch, version: 2}});
	});
});
