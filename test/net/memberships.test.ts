// Memberships between real parties over TLS: an index server, file servers, and connections as downloads make them.
import {stat, writeFile} from 'node:fs/promises';
import {Agent} from 'node:https';
import path from 'node:path';
import {connect} from 'node:tls';
import fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {fingerprintOf} from '../../source/core/invite-link.ts';
import {SourceConnection} from '../../source/download/connection.ts';
import {RateLimit} from '../../source/download/rate-limit.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {forgetNetwork, keepNetwork, knownNetworks} from '../../source/identity/known-networks.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {MemberBook} from '../../source/identity/member-book.ts';
import {membershipHeader, readMembership, signMembership} from '../../source/identity/membership.ts';
import {createIndexClient} from '../../source/index/client.ts';
import {PrivateNetwork} from '../../source/index/private-network.ts';
import {Memberships} from '../../source/net/memberships.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';
import {startServer, TestCatalog} from '../helpers/index.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {fetchFrom, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const hour = 3_600_000;
const skew = limits.membershipSkew * 1000;

/** A file server of a member of `server`'s network, whose clock is `clock` ms ahead of its own. */
async function memberOf(server: Identity, clock = 0) {
	const folder = await tempFolder();
	const times = {issued: Date.now() + clock, expires: Date.now() + clock + hour};
	const id = 'ab'.repeat(32);
	const membership = signMembership({server: server.id, peer: id, ...times}, server.privateKey);
	await keepNetwork(folder, {
		...{server: server.id, address: '127.0.0.1:45000', name: 'n', membership, networkKey: '00'.repeat(32), clock},
	});
	const memberships = new Memberships({folder, id, name: 'm', servers: ['127.0.0.1:45000'], invites: []});
	expect(memberships.isPrivate).toBe(true);
	const upload = await uploadServer({admits: (socket, shown) => memberships.admits(socket, shown)});
	await upload.catalog.write('a.txt', 'hello');
	return {memberships, ...upload};
}

describe('a peer answers', () => {
	test('a membership that is signed by its server, for the key that shows it, and good now', async () => {
		const [server, other, caller, thief] = await Promise.all([0, 1, 2, 3].map(temporaryIdentity));
		for (const clock of [0, 40 * 24 * hour, -40 * 24 * hour]) {
			const {port} = await memberOf(server!, clock);
			const now = Date.now() + clock;
			const ask = async (identity: Identity | undefined, shown: string | undefined) => {
				const headers: Record<string, string> = shown === undefined ? {} : {[membershipHeader]: shown};
				const agent = new Agent({keepAlive: false});
				return (await fetchFrom(port, '/v1/browse', {headers, agent, ...(identity && {identity})})).status;
			};
			const sign = (issued: number, expires: number, by = server!) =>
				signMembership({server: server!.id, peer: caller!.id, issued, expires}, by.privateKey);
			const good = sign(now, now + hour);
			expect(await ask(caller, good)).toBe(200);
			expect(await ask(caller, `${'x'.repeat(20)}, ${good}`)).toBe(200);
			expect(await ask(caller, sign(now - hour, now - skew / 2))).toBe(200);
			expect(await ask(caller, sign(now + skew / 2, now + hour))).toBe(200);
			for (const [identity, shown] of [
				[caller, undefined],
				[undefined, good],
				[thief, good],
				[caller, sign(now, now + hour, other)],
				[
					caller,
					signMembership({server: other!.id, peer: caller!.id, issued: now, expires: now + hour}, other!.privateKey),
				],
				[caller, sign(now - 2 * hour, now - skew - 60_000)],
				[caller, sign(now + skew + 60_000, now + 2 * hour)],
				[caller, `${good.slice(0, -4)}AAAA`],
				[caller, Array(limits.membershipsShown).fill('x').concat(good).join()],
			] as const)
				expect(await ask(identity, shown)).toBe(403);
		}
	});

	test('a connection that has shown it once, also requests sent ahead, until it is shown something wrong', async () => {
		const [server, caller] = [await temporaryIdentity(), await temporaryIdentity()];
		const {port} = await memberOf(server);
		const good = signMembership(
			{server: server.id, peer: caller.id, issued: Date.now(), expires: Date.now() + hour},
			server.privateKey,
		);
		const agent = new Agent({keepAlive: true, maxSockets: 1});
		onTestFinished(() => agent.destroy());
		const ask = async (headers: Record<string, string>) =>
			(await fetchFrom(port, '/v1/browse', {identity: caller, agent, headers})).status;
		expect(await ask({})).toBe(403);
		expect(await ask({[membershipHeader]: good})).toBe(200);
		expect(await ask({})).toBe(200);
		expect(await ask({[membershipHeader]: 'nonsense'})).toBe(403);

		const socket = connect({...tlsOptions(caller), port, host: '127.0.0.1'});
		onTestFinished(() => void socket.destroy());
		let text = '';
		socket.on('data', data => {
			text += data;
		});
		const head = 'GET /v1/browse HTTP/1.1\r\nHost: x\r\n';
		socket.write(`${head}${membershipHeader}: ${good}\r\n\r\n${`${head}\r\n`.repeat(20)}`);
		const statuses = () => text.match(/HTTP\/1\.1 \d+/g) ?? [];
		await waitFor('all answers', () => statuses().length === 21);
		expect(new Set(statuses())).toEqual(new Set(['HTTP/1.1 200']));
	});

	test('nobody whose membership ended meanwhile, or who was removed, on a connection that is open either', async () => {
		const [server, caller] = [await temporaryIdentity(), await temporaryIdentity()];
		// The member's clock says that the server's is ahead, so that what is signed now is about to end there.
		const {port, memberships, server: upload} = await memberOf(server, skew + hour - 1500);
		const signed = (issued: number) =>
			signMembership({server: server.id, peer: caller.id, issued, expires: issued + hour}, server.privateKey);
		const agent = new Agent({keepAlive: true, maxSockets: 1});
		onTestFinished(() => agent.destroy());
		const ask = async (headers: Record<string, string> = {}) =>
			(await fetchFrom(port, '/v1/browse', {identity: caller, agent, headers})).status;
		expect(await ask({[membershipHeader]: signed(Date.now())})).toBe(200);
		await waitFor('it to end', async () => (await ask()) === 403);

		const issued = Date.now() + skew + hour;
		expect(await ask({[membershipHeader]: signed(issued)})).toBe(200);
		memberships.remove(caller.id, issued + 5);
		expect(memberships.wasRemoved(caller.id)).toBe(true);
		expect(await ask()).toBe(403);
		expect(await ask({[membershipHeader]: signed(issued + 5)})).toBe(403);
		expect(await ask({[membershipHeader]: signed(issued + 6)})).toBe(200);
		upload.disconnect(caller.id);
		await waitFor('the connection to end', () => Object.keys(agent.freeSockets).length === 0);
	});
});

test('nothing that is made up gets in, or makes a mistake of ours', async () => {
	const [server, caller] = [await temporaryIdentity(), await temporaryIdentity()];
	const {port, bugs} = await memberOf(server);
	const good = signMembership(
		{server: server.id, peer: 'cd'.repeat(32), issued: Date.now(), expires: Date.now() + hour},
		server.privateKey,
	);
	const agent = new Agent({keepAlive: true, maxSockets: 1});
	onTestFinished(() => agent.destroy());
	const visible = fc.string({unit: fc.integer({min: 32, max: 126}).map(code => String.fromCharCode(code))});
	const cut = fc.tuple(fc.nat(200), visible).map(([at, text]) => good.slice(0, at) + text + good.slice(at));
	await fc.assert(
		fc.asyncProperty(
			fc.oneof(
				visible,
				cut,
				fc.array(cut, {maxLength: 12}).map(all => all.join(',')),
			),
			async shown => {
				const headers = {[membershipHeader]: shown};
				expect((await fetchFrom(port, '/v1/browse', {identity: caller, agent, headers})).status).toBe(403);
			},
		),
		{numRuns: 200},
	);
	expect(bugs).toEqual([]);
});

describe('the networks that a peer has joined', () => {
	const network = {
		...{server: 'aa'.repeat(32), address: '127.0.0.1:45000', name: 'n', clock: 0},
		...{membership: '', networkKey: '00'.repeat(32)},
	};

	test('are kept for their owner alone, one entry a server, and a damaged list is told, not passed over', async () => {
		const folder = await tempFolder();
		expect(knownNetworks(folder)).toEqual([]);
		await keepNetwork(folder, network);
		await keepNetwork(folder, {...network, server: 'bb'.repeat(32), address: '127.0.0.1:2'});
		await keepNetwork(folder, {...network, name: 'new'});
		expect(knownNetworks(folder).map(({name}) => name)).toEqual(['n', 'new']);
		const file = path.join(folder, 'memberships.json');
		expect((await stat(file)).mode & 0o777).toBe(0o600);
		expect(await forgetNetwork(folder, '127.0.0.1:2')).toMatchObject({server: 'bb'.repeat(32)});
		expect(await forgetNetwork(folder, '127.0.0.1:2')).toBeUndefined();
		for (const text of ['', '{', 'null', '[]', '{}', '{"networks":[null]}', '{"networks":[{"server":"x"}]}']) {
			await writeFile(file, text);
			expect(() => knownNetworks(folder)).toThrow(expect.objectContaining({code: 'bad-database'}));
		}
	});

	test('keep a peer closed at another address of theirs, until it is known who is there', async () => {
		const folder = await tempFolder();
		const at = (...servers: string[]) =>
			new Memberships({folder, id: 'cc'.repeat(32), name: 'p', servers, invites: []});
		expect(at('127.0.0.1:1').isPrivate).toBe(false);
		await keepNetwork(folder, network);
		expect(at('127.0.0.1:1').isPrivate).toBe(true);
		expect(at().isPrivate).toBe(false);
		const server = await startServer();
		onTestFinished(() => server.stop());
		const memberships = at(server.address);
		const identity = await temporaryIdentity();
		const client = new SecureClient(identity);
		onTestFinished(() => client.close());
		await memberships.ensure({host: '127.0.0.1', port: server.port, id: server.identity.id}, client);
		expect(memberships.isPrivate).toBe(false);
	});
});

test('a download shows it once per connection, and again when it was renewed', async () => {
	const [server, caller, source] = await Promise.all([0, 1, 2].map(temporaryIdentity));
	const heads: string[] = [];
	const {createServer} = await import('node:https');
	const https = createServer({...tlsOptions(source!), requestCert: true}, (request, response) => {
		heads.push(String(request.headers[membershipHeader] ?? ''));
		response.setHeader('content-length', 2).end('ok');
	});
	await new Promise<void>(resolve => https.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => new Promise<void>(resolve => void https.close(() => resolve())));
	const {port} = https.address() as {port: number};
	let shown = 'first';
	const limit = new RateLimit();
	onTestFinished(() => limit.stop());
	const target = {id: source!.id, host: '127.0.0.1', port};
	const connection = await SourceConnection.open(target, caller!, limit, () => shown);
	onTestFinished(() => connection.destroy({kind: 'cancelled'}));
	const get = () => connection.get('/v1/files/x', undefined, {head: () => 2, body: () => undefined}, 10_000);
	await Promise.all([get(), get(), get()]);
	shown = 'second';
	await Promise.all([get(), get()]);
	expect(heads).toEqual(['first', '', '', 'second', '']);
	expect(server).toBeDefined();
});

test('a membership is renewed at half of its life over the session, without a break', async () => {
	const folder = await tempFolder();
	const identity = await temporaryIdentity();
	const members = MemberBook.open(folder, {make: true, synced: false})!;
	onTestFinished(() => members.close());
	members.setPrivate(true);
	const network = new PrivateNetwork({identity, name: 'net', members, life: 2});
	const server = await startServer({identity, network, leaseSeconds: 1});
	onTestFinished(() => server.stop());

	const peer = await temporaryIdentity();
	const data = await tempFolder();
	const {code} = members.invite({uses: 1, life: hour});
	const invite = {host: '127.0.0.1', port: server.port, fingerprint: fingerprintOf(identity.id), code};
	const memberships = new Memberships({
		folder: data,
		id: peer.id,
		name: 'p',
		servers: [server.address],
		invites: [invite],
	});
	expect(memberships.isPrivate).toBe(true);
	const client = new SecureClient(peer, {membership: () => memberships.current()});
	onTestFinished(() => client.close());
	const bus = new EngineBus();
	const lost: string[] = [];
	bus.on('server-lost', ({message}) => lost.push(message));
	const index = createIndexClient({
		...{identity: peer, client, address: server.address, knownServers: openKnownServers(data), bus, memberships},
		...{catalog: new TestCatalog(), announce: {name: 'p', port: 25_000}},
	});
	index.start();
	onTestFinished(() => index.stop());
	const seen = new Set<string>();
	const off = memberships.onChange(() => seen.add(memberships.current() ?? ''));
	onTestFinished(off);
	await waitFor('three renewals', () => seen.size >= 3);
	const times = [...seen].map(text => readMembership(text)!);
	for (const [n, {issued}] of times.entries()) {
		const before = times[n - 1];
		// After half of its life, and well before its end.
		if (before) expect(issued - before.issued).toBeGreaterThanOrEqual(1000);
	}
	expect(lost).toEqual([]);
	expect(memberships.networks).toMatchObject([{server: identity.id, networkKey: members.networkKey, name: 'net'}]);

	members.remove(peer.id);
	await waitFor('it to be shut out', () => lost.length > 0);
	await waitFor('it to be told', () => index.link().state === 'refused');
	expect(memberships.isPrivate).toBe(true);
});
