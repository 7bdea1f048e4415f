// Much at once: lists of files over TLS, which only their publisher can bring, and packets where no such way leads.
import {createHash} from 'node:crypto';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {z} from 'zod';
import {contentBit, writeFileList} from '../../source/dht/messages.ts';
import {NetworkKey} from '../../source/dht/network-key.ts';
import {signFile} from '../../source/dht/records.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tableAnswerSchema, tablePath} from '../../source/net/table-route.ts';
import {type DhtTestNode, startDhtNode} from '../helpers/dht-node.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const network = new NetworkKey('p2p-tui');
const idOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** A catalog of so many files with a word of their own. */
function catalogOf(word: string, files: number) {
	const changes = Array.from({length: files}, (_, index) => {
		const file = `share/${word} ${index}.txt`;
		return {op: 'add' as const, path: file, size: 10, content: idOf(file)};
	});
	const epoch = '0'.repeat(32);
	return {
		...{epoch, version: files, files, bytes: 10 * files},
		changesSince: (from: number, limit: number) => ({
			...{epoch, changes: changes.slice(from, from + limit)},
			...{to: Math.min(files, from + limit), last: from + limit >= files},
		}),
	};
}

async function start(word: string, files: number, others: DhtTestNode[], door?: number): Promise<DhtTestNode> {
	const node = await startDhtNode({
		...{name: word, dataDir: path.join(await tempFolder(), word), catalog: catalogOf(word, files), door},
		bootstrap: others.map(({dht}) => dht.port),
	});
	onTestFinished(() => node.stop());
	return node;
}

const found = async ({dht}: DhtTestNode, query: string) =>
	(await dht.search(query, {limit: 100})).hits.map(({name}) => name).sort();

test.each([
	['through the door', undefined, 30],
	['in packets, where the door that a node names is shut', 9, 2000],
])('a share reaches another node %s, and what is in it is found there', async (_, door, mostRequests) => {
	const keeper = await start('keeper', 0, [], door);
	const alice = await start('alice', 700, [keeper]);
	await waitFor('all files to be kept', () => keeper.dht.records === 700);
	const {total} = alice.dht.requests;
	if (door === undefined) expect(total).toBeLessThan(mostRequests);
	else expect(total).toBeGreaterThan(100);
	const other = await start('other', 0, [keeper]);
	await waitFor('the other to find one', async () => (await found(other, 'alice 613'))[0] === 'alice 613.txt');
});

test('only its own publisher brings a list: others’ records under another key are never found', async () => {
	const keeper = await start('keeper', 0, []);
	const alice = await start('alice', 1, [keeper]);
	await waitFor('the file of alice', async () => (await found(keeper, 'alice')).length === 1);
	const call = async (identity: Identity, body: Buffer, type = 'application/octet-stream') => {
		const client = new SecureClient(identity);
		onTestFinished(() => client.close());
		return client.json(
			{id: keeper.identity.id, host: '127.0.0.1', port: keeper.port},
			{method: 'POST', path: tablePath, body, schema: tableAnswerSchema, headers: {'content-type': type}},
		);
	};
	const time = Math.floor(Date.now() / 1000);
	const record = (file: string, by: Identity, more: object = {}) =>
		signFile(
			{content: idOf(file), size: 5, path: file, time, expiry: time + 3600, removed: false, ...more},
			{peer: by.id, privateKey: by.privateKey, tag: network.tag},
		);
	const list = async (...files: Array<ReturnType<typeof record>>) =>
		writeFileList((await Promise.all(files)).map(file => ({mask: 2 ** 31 - 1 + contentBit, parts: 0, file})));

	const mallory = await temporaryIdentity();
	// What alice signed, and what mallory wrote in alice's name: neither is alice's when mallory brings it.
	const stolen = await list(record('share/stolen goods.txt', alice.identity));
	expect(await call(mallory, network.seal(stolen))).toEqual({full: []});
	expect(await found(alice, 'stolen')).toEqual([]);
	// Nor does it take anything of alice's away.
	const removal = {removed: true, content: '0'.repeat(64), size: 0, time: time + 60};
	await call(mallory, network.seal(await list(record('share/alice 0.txt', alice.identity, removal))));
	expect(await found(keeper, 'alice')).toEqual(['alice 0.txt']);

	const fine = await list(record('share/fine.txt', mallory));
	await expect(call(mallory, fine)).rejects.toMatchObject({code: 'refused'});
	await expect(call(mallory, new NetworkKey('another').seal(fine))).rejects.toMatchObject({code: 'refused'});
	const secret = new NetworkKey('p2p-tui', Buffer.alloc(32, 7));
	await expect(call(mallory, secret.seal(fine))).rejects.toMatchObject({code: 'refused'});
	await expect(call(mallory, network.seal(fine.subarray(0, -1)))).rejects.toMatchObject({code: 'bad-request'});
	await expect(call(mallory, network.seal(Buffer.alloc(600 * 1024)))).rejects.toMatchObject({code: 'too-large'});
	const late = await list(record('share/late.txt', mallory, {time: time + 7200}));
	await expect(call(mallory, network.seal(late))).rejects.toMatchObject({code: 'refused'});
	const before = keeper.dht.records;
	await call(mallory, network.seal(fine));
	expect(keeper.dht.records).toBe(before + 1);
});

test('a guest who shows no key, and a peer that is no node, are told so', async () => {
	const keeper = await start('keeper', 0, []);
	const answer = await new Promise<{status: number; body: string}>((resolve, reject) => {
		const options = {method: 'POST', rejectUnauthorized: false, headers: {'content-type': 'application/octet-stream'}};
		import('node:https').then(({request}) => {
			const call = request(`https://127.0.0.1:${keeper.port}${tablePath}`, options, async response => {
				const parts: Buffer[] = [];
				for await (const part of response) parts.push(part as Buffer);
				resolve({status: response.statusCode!, body: Buffer.concat(parts).toString()});
			});
			call.once('error', reject).end(network.seal(Buffer.alloc(0)));
		}, reject);
	});
	expect([answer.status, z.object({code: z.string()}).parse(JSON.parse(answer.body)).code]).toEqual([403, 'refused']);
});
