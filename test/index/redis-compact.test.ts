// Changes in columns over a Redis Cluster: of what a peer has changed a server gets hashes of the paths, and all servers
// of the cluster show the same after it.
import {describe, expect, onTestFinished, test} from 'vitest';
import {compactType, packCompact} from '../../source/index/compact-changes.ts';
import {pathHash} from '../../source/index/path-hash.ts';
import {type ClusterServer, type ClusterWorld, overOneCluster} from '../helpers/cluster-servers.ts';
import {add, contentId, makePeer, request} from '../helpers/index.ts';
import {hasRedisServer} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

const files = 50_000;
const perFolder = 1000;
const pathOf = (at: number) => `music/album ${Math.floor(at / perFolder)}/track${at}x.flac`;
const contentOf = (at: number, state: string) => contentId(`${at} ${state}`);

/** Every file that a server shows of a peer below a folder: content and size by path. */
async function filesOf(server: ClusterServer, peer: string, folder = ''): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	let cursor: string | undefined;
	do {
		const query = new URLSearchParams({path: folder, ...(cursor !== undefined && {cursor})});
		const {status, body} = await request(server, `/v1/peers/${peer}/files?${query}`);
		expect(status, JSON.stringify(body)).toBe(200);
		for (const entry of body.entries) {
			if (entry.type === 'file') found.set(entry.path, `${entry.content} ${entry.size}`);
			else for (const [path, file] of await filesOf(server, peer, entry.path)) found.set(path, file);
		}
		cursor = body.cursor;
	} while (cursor !== undefined);
	return found;
}

/** How many paths a server was asked for by their hashes, each time. */
function lookupsOf({store}: ClusterServer): number[] {
	const asked: number[] = [];
	const find = store.findPaths.bind(store);
	store.findPaths = (id, hashes) => {
		asked.push(hashes.hashes.length);
		return find(id, hashes);
	};
	return asked;
}

describe.skipIf(!(await hasRedisServer()))('changes in columns over a Redis Cluster', () => {
	let world: ClusterWorld;
	overOneCluster(each => {
		({world} = each);
	});

	test('a hundredth of the files changed is found and listed at every server, whichever of them it is sent to', async () => {
		const [one, two] = [await world.server(), await world.server()];
		const [askedOne, askedTwo] = [lookupsOf(one), lookupsOf(two)];
		const first = Array.from({length: files}, (_, at) => add(pathOf(at), `${at} first`, 100 + at));
		const expected = new Map(first.map(({path}, at) => [path, `${contentOf(at, 'first')} ${100 + at}`]));
		const alice = await world.peer(one, 'alice', first);
		const {catalog} = alice;
		const put = (path: string, content: string, size: number) => {
			catalog.change(add(path, content, size));
			expected.set(path, `${contentId(content)} ${size}`);
		};
		/** A hundredth of the files gets other contents, beginning with one; one is new, one goes. */
		const change = (from: number, state: string) => {
			for (let at = from; at < files; at += 100) put(pathOf(at), `${at} ${state}`, 7 + at);
			put(`music/album ${state}/写真 ${state}.flac`, state, 5);
			const gone = pathOf(from + 1);
			catalog.change({op: 'remove', path: gone});
			expected.delete(gone);
		};
		const check = async (from: number, state: string) => {
			for (const server of [one, two]) {
				const search = async (q: string) => (await request(server, `/v1/search?q=${encodeURIComponent(q)}`)).body.hits;
				await waitFor('the change to be there', async () => (await search(`写真 ${state}`)).length === 1);
				const content = contentOf(from + 100, state);
				const changed = {content, name: `track${from + 100}x.flac`, size: 107 + from, sourceCount: 1};
				expect((await request(server, `/v1/files/${content}`)).body).toMatchObject(changed);
				expect(await search(`name:track${from + 100}x.flac`)).toMatchObject([{...changed, sources: [{name: 'alice'}]}]);
				expect((await request(server, `/v1/files/${contentOf(from + 100, 'first')}`)).status).toBe(404);
				expect(await search(`name:track${from + 1}x.flac`)).toEqual([]);
				expect(await filesOf(server, 'alice')).toEqual(expected);
			}
		};

		change(0, 'second');
		alice.index.catalogChanged();
		await check(0, 'second');
		// In columns; what is asked again, as a busy machine may, is the same.
		expect([askedOne, askedTwo].map(asked => [...new Set(asked)])).toEqual([[files / 100], []]);

		// While it is away more changes, and it comes back to the other server.
		await alice.stop();
		change(50, 'third');
		const back = await makePeer(two.address, {name: 'alice', identity: alice.identity, catalog});
		onTestFinished(back.stop);
		back.index.start();
		await check(50, 'third');
		expect(back.index.link().number).toBe(1);
		expect([askedOne, askedTwo].map(asked => [...new Set(asked)])).toEqual([[files / 100], [files / 100]]);
	});

	test('a path that is taken for another by its hash is found out, and no server takes anything in', async () => {
		const [one, two] = [await world.server(), await world.server()];
		const alice = await world.peer(one, 'alice', [add('s/known.txt', 'old', 5)]);
		const {epoch, version} = alice.catalog;
		const bits = 7;
		// Not on the server, with the hash of one that is.
		let twin = '';
		for (let at = 0; twin === ''; at++)
			if (pathHash(`s/${at}`, bits) === pathHash('s/known.txt', bits)) twin = `s/${at}`;
		const post = async (path: string, from: number) => {
			const body = (await packCompact([add(path, 'new', 9)], new Set([path]), 1)) ?? Buffer.alloc(0);
			return request(one, `/v1/peers/me/files?epoch=${epoch}&from=${from}&to=${from + 1}`, {
				...{method: 'POST', headers: {'content-type': compactType}, body, identity: alice.identity},
			});
		};
		const kept = new Map([['s/known.txt', `${contentId('old')} 5`]]);
		expect(await post(twin, version)).toMatchObject({status: 409, body: {code: 'ambiguous'}});
		for (const server of [one, two]) {
			await waitFor('it to be known there', async () => (await server.find('known')).length === 1);
			expect(await filesOf(server, '1')).toEqual(kept);
		}
		expect(await post('s/known.txt', version)).toMatchObject({status: 200, body: {files: 1, bytes: 9}});
		expect(await post('s/known.txt', version)).toMatchObject({
			...{status: 409, body: {code: 'version-mismatch', details: {have: {epoch, version: version + 1}}}},
		});
		for (const server of [one, two])
			await waitFor('the change to be there', async () => (await server.store.getPeer('1')).bytes === 9);
	});
});
