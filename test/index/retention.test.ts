// What a running server forgets by itself: peers that were not seen for the retention time, and nobody else.
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {Identity} from '../../source/identity/identity.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {
	add,
	contentId,
	makePeer,
	request,
	startServer,
	type TestPeer,
	type TestServer,
	until,
} from '../helpers/index.ts';
import {type StorePlace, storeKinds} from '../helpers/index-stores.ts';

const dayMs = 24 * 3600 * 1000;
/** Milliseconds between two looks, where a server has an hour. */
const forgetEvery = 40;

/** How many looks a server has taken. */
function looksOf(store: IndexStore): () => number {
	let looks = 0;
	const forget = store.forget.bind(store);
	store.forget = async before => {
		const count = await forget(before);
		looks++;
		return count;
	};
	return () => looks;
}

async function online(server: TestServer, name: string, identity?: Identity): Promise<TestPeer> {
	const peer = await makePeer(server.address, {name, files: [add(`s/of ${name}.txt`, name, 5)], identity});
	onTestFinished(peer.stop);
	let files = 0;
	peer.bus.on('registered', told => {
		files = told.files;
	});
	peer.index.start();
	await until(`${name} is there`, () => peer.index.link().state === 'online' && files === 1);
	return peer;
}

const kept = storeKinds().filter(({isKept}) => isKept);

describe.each(kept)('a server over $name', ({place: somewhere, isHere}) => {
	/** Starts one that looks often. */
	async function start(place: StorePlace, retentionDays?: number) {
		const store = await place.open();
		const looks = looksOf(store);
		const server = await startServer({store, forgetEvery, retentionDays});
		let stopped: Promise<void> | undefined;
		const stop = () => (stopped ??= server.stop().then(() => store.close()));
		onTestFinished(stop);
		const nextLooks = async (count: number) => {
			const before = looks();
			await until('it has looked again', () => looks() >= before + count);
		};
		return {server, stop, nextLooks};
	}

	const statusOf = async (server: TestServer, name: string) => (await request(server, `/v1/peers/${name}`)).status;

	test.skipIf(!isHere)(
		'forgets who was not seen for 30 days, and neither who was for 29 nor who is there',
		async () => {
			const place = await somewhere();
			const first = await start(place);
			const peers = await Promise.all(['old', 'recent', 'here'].map(name => online(first.server, name)));
			const [old, recent, here] = peers as [TestPeer, TestPeer, TestPeer];
			for (const peer of peers) await peer.stop();
			await first.stop();
			const days = {old: 31, recent: 29, here: 29};
			const database = new DatabaseSync(place.database);
			for (const [name, ago] of Object.entries(days))
				database.prepare('UPDATE peer SET seen=? WHERE name=?').run(Date.now() - ago * dayMs, name);
			database.close();

			const {server, nextLooks} = await start(place);
			await online(server, 'here', here.identity);
			await until('it has forgotten the old one', async () => (await statusOf(server, 'old')) === 404);
			await nextLooks(3);
			expect((await request(server, '/v1')).body).toMatchObject({peers: 2, online: 1, files: 1});
			expect((await request(server, `/v1/files/${contentId('old')}`)).status).toBe(404);
			// Who is offline keeps its files; who is there is found.
			expect((await request(server, `/v1/files/${contentId('recent')}`)).body).toMatchObject({sourceCount: 0, size: 5});
			expect((await request(server, '/v1/search?q=of')).body.hits).toMatchObject([{name: 'of here.txt'}]);

			// Both come back under their numbers; the one that was forgotten sends its files again.
			const number = async (name: string) => (await request(server, `/v1/peers/${name}`)).body.number;
			const before = {old: old.index.link().number, recent: await number('recent')};
			await online(server, 'old', old.identity);
			await online(server, 'recent', recent.identity);
			expect({old: await number('old'), recent: await number('recent')}).toEqual(before);
			expect((await request(server, '/v1/search?q=of')).body.total).toBe(3);
		},
	);

	test.skipIf(!isHere)(
		'counts from when a peer went, not from when it came, also where it is ended without a word',
		async () => {
			const retention = 1500;
			const place = await somewhere();
			const {server, nextLooks} = await start(place, retention / dayMs);
			const [gone, here] = [await online(server, 'gone'), await online(server, 'here')];
			const came = Date.now();
			await until('both are there for longer than is kept', () => Date.now() > came + retention);
			await nextLooks(2);
			expect((await request(server, '/v1')).body).toMatchObject({peers: 2, online: 2});
			// What is on the disk says so too: after a power cut that is all there is.
			const seen = () => {
				const database = new DatabaseSync(place.database, {readOnly: true});
				try {
					return database.prepare('SELECT name, seen FROM peer ORDER BY name').all() as {name: string; seen: number}[];
				} finally {
					database.close();
				}
			};
			await until('it is written down', () => seen().every(peer => peer.seen > came + retention));
			const leaves = Date.now();
			await gone.stop();
			await until('it is forgotten', async () => (await statusOf(server, 'gone')) === 404);
			expect(Date.now() - leaves).toBeGreaterThanOrEqual(retention);
			await nextLooks(2);
			expect(await statusOf(server, 'here')).toBe(200);
			expect(here.index.link().state).toBe('online');
		},
	);
});
