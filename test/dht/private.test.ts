// A private network in the table: strangers can neither read, nor ask, nor store, though they know a node and the name.
import {createHash, generateKeyPairSync, randomBytes} from 'node:crypto';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {EngineBus} from '../../source/core/events.ts';
import {Dht} from '../../source/dht/dht.ts';
import {NetworkKey} from '../../source/dht/network-key.ts';
import type {Identity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function start(options: {
	bootstrap: number[];
	networkKey?: Buffer;
	files: string[];
}): Promise<Dht & {own: string}> {
	const {privateKey, publicKey} = generateKeyPairSync('ed25519');
	const id = Buffer.from(publicKey.export({format: 'jwk'}).x!, 'base64url').toString('hex');
	const changes = options.files.map(file => ({
		...{op: 'add' as const, path: file, size: 10},
		content: createHash('sha256').update(file).digest('hex'),
	}));
	const version = changes.length;
	const catalog = {
		...{epoch: '0'.repeat(32), version, files: version, bytes: 10 * version},
		changesSince: (from: number) => ({epoch: '0'.repeat(32), changes: changes.slice(from), to: version, last: true}),
	};
	const bus = new EngineBus();
	const published = new Promise<void>(resolve => bus.on('registered', () => resolve()));
	const dht = await Dht.start({
		...{identity: {id, privateKey}, bus, host: '127.0.0.1', keeps: true, networkKey: options.networkKey},
		client: new SecureClient({id} as Identity),
		dataDir: path.join(await tempFolder(), 'node'),
		bootstrap: options.bootstrap.map(port => ({host: '127.0.0.1', port})),
		share: {catalog, name: id.slice(0, 6), port: 9, host: '127.0.0.1'},
	});
	onTestFinished(() => dht.stop());
	await published;
	return Object.assign(dht, {own: id});
}

test('members find each other’s files; who has another key, or none, finds and stores nothing', async () => {
	const networkKey = randomBytes(32);
	const alice = await start({bootstrap: [], networkKey, files: ['a/wedding plan.txt']});
	const bob = await start({bootstrap: [alice.port], networkKey, files: ['b/budget.txt']});
	const names = async (dht: Dht, query: string) => (await dht.search(query)).hits.map(({name}) => name);
	await waitFor('bob finds alice’s', async () => (await names(bob, 'wedding'))[0] === 'wedding plan.txt');
	await waitFor('alice finds bob’s', async () => (await names(alice, 'budget'))[0] === 'budget.txt');

	for (const key of [undefined, randomBytes(32)]) {
		const stranger = await start({bootstrap: [alice.port, bob.port], networkKey: key, files: ['s/wedding poison.txt']});
		expect(await names(stranger, 'wedding')).toEqual(['wedding poison.txt']);
		expect((await stranger.peers()).peers.map(({id}) => id)).toEqual([stranger.own]);
		await expect(stranger.peer(alice.own)).rejects.toMatchObject({code: 'not-found'});
		expect(await names(bob, 'wedding')).toEqual(['wedding plan.txt']);
		expect((await bob.peers()).peers.map(({id}) => id).sort()).toEqual([alice.own, bob.own].sort());
	}
});

test('what members say can be neither read nor changed on the way, and topics tell no words', () => {
	const secret = randomBytes(32);
	const [ours, open] = [new NetworkKey('family', secret), new NetworkKey('family')];
	const sealed = ours.seal(Buffer.from('wedding plan'));
	expect(sealed.includes('wedding')).toBe(false);
	expect(ours.open(sealed)?.toString()).toBe('wedding plan');
	for (let index = 0; index < sealed.length; index++) {
		const changed = Buffer.from(sealed);
		changed[index]! ^= 1;
		expect(ours.open(changed)).toBeUndefined();
	}
	expect(open.open(sealed)).toBeUndefined();
	expect(ours.open(open.seal(Buffer.from('x')))).toBeUndefined();
	expect(ours.word('wedding').equals(open.word('wedding'))).toBe(false);
	expect(ours.word('wedding').equals(new NetworkKey('family', secret).word('wedding'))).toBe(true);
});
