// One content under more names than are searched, over a running server: none of the sources is lost, nobody's name is
// pushed out by another peer, and no other content is touched.
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {add, contentId, makePeer, request, startServer, type TestServer, until} from '../helpers/index.ts';
import {storeKinds} from '../helpers/index-stores.ts';

const most = limits.namesPerContent;

/** A peer that is online with these files. */
async function peerWith(server: TestServer, name: string, files: CatalogChange[]) {
	const peer = await makePeer(server.address, {name, files});
	onTestFinished(peer.stop);
	let taken = -1;
	peer.bus.on('registered', told => {
		taken = told.files;
	});
	peer.index.start();
	const settle = () => until(`all of ${name} is taken`, () => taken === peer.catalog.files);
	await until(`${name} is online`, () => peer.index.link().state === 'online');
	await settle();
	return {peer, settle};
}

describe.each(storeKinds())('over $name', ({name: kind, place, isHere}) => {
	// The reference compares a query with all names.
	const searched = kind === 'memory' ? Number.POSITIVE_INFINITY : most;

	test.skipIf(!isHere)('a content with more names than are searched', async () => {
		const store = await (await place()).open();
		onTestFinished(() => store.close());
		const server = await startServer({store});
		onTestFinished(server.stop);
		const search = async (q: string) => {
			const {status, body} = await request(server, `/v1/search?q=${encodeURIComponent(q)}`);
			expect(status, q).toBe(200);
			return body.hits as {content: string; name: string; sourceCount: number}[];
		};
		const names = Array.from(
			{length: most + 14},
			(_, at) => `spam${String.fromCharCode(97 + (at % 26), 97 + at)}q.bin`,
		);
		await peerWith(server, 'alice', [add('a/honest holiday.jpg', 'one', 9), add('a/other honest.txt')]);
		const junk = names.map(name => add(`b/${name}`, 'one', 9));
		const {peer: mallory, settle} = await peerWith(server, 'mallory', [
			add('b/before.txt'),
			...junk,
			add('b/after.txt'),
		]);
		// Whoever came before is found by the own name, also when another has just come with more than are searched.
		expect(await search('holiday')).toMatchObject([{name: 'honest holiday.jpg', sourceCount: 2}]);
		await peerWith(server, 'carol', [add('c/late beach.jpg', 'one', 9)]);
		const hit = {content: contentId('one'), sourceCount: 3};
		for (const query of ['holiday', '"honest holiday" ext:jpg kind:image'])
			expect(await search(query), query).toMatchObject([{...hit, name: 'honest holiday.jpg'}]);
		const found = await Promise.all(names.map(async name => (await search(`name:${name}`)).length));
		const count = found.filter(hits => hits === 1).length;
		expect(count).toBeGreaterThan(0);
		expect(count).toBeLessThanOrEqual(searched);
		for (const other of ['other', 'before', 'after']) expect(await search(other), other).toHaveLength(1);

		// Nothing is lost: it is listed with all of its sources, and each name in its folder.
		const {body} = await request(server, `/v1/files/${contentId('one')}`);
		expect(body).toMatchObject({size: 9, sourceCount: 3});
		expect(body.sources.map((source: {name: string}) => source.name).sort()).toEqual(['alice', 'carol', 'mallory']);
		const {entries} = (await request(server, '/v1/peers/mallory/files?path=b')).body;
		expect(entries.map((entry: {path: string}) => entry.path)).toHaveLength(names.length + 2);

		// With fewer names each of them is searched again.
		const kept = names.slice(-(most - 4));
		for (const name of names.slice(0, -kept.length)) mallory.catalog.change({op: 'remove', path: `b/${name}`});
		mallory.index.catalogChanged();
		await settle();
		for (const name of kept) expect(await search(`name:${name}`), name).toMatchObject([{...hit, name}]);
		for (const name of ['holiday', 'beach']) expect(await search(name), name).toMatchObject([hit]);
		expect(await search(`name:${names[0]}`)).toEqual([]);
	});
});
