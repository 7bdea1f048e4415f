// A peer that comes back: with nothing changed, and with a part of its files changed. By the client's own code, through a
// relay that counts what goes over the wire.
import {connect, createServer, type Socket} from 'node:net';
import {type CatalogChange, type CatalogPoint, registerResponseSchema} from '../../source/api/schemas.ts';
import type {Identity} from '../../source/identity/identity.ts';
import {publish} from '../../source/index/client/publish.ts';
import type {CatalogLog} from '../../source/index/client.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import type {Corpus} from './corpus.ts';

/** Bytes: of TCP's payload in both directions. */
export type Again = {what: string; ms: number; sent: number; received: number};

/** A log whose last changes are the ones given. */
function logOf(epoch: string, files: number, changes: CatalogChange[]): CatalogLog {
	const version = files + changes.length;
	return {
		...{epoch, version, files, bytes: 0},
		canContinueFrom: point => point?.epoch === epoch,
		changesSince(from, limit) {
			const page = changes.slice(from - files, from - files + limit);
			const known = page.map(({path}) => path);
			return {epoch, changes: page, to: from + page.length, last: from + page.length === version, known};
		},
	};
}

/** Every hundredth file of a peer with another content, one by one or in whole folders that lie next to each other. */
function* changed(corpus: Corpus, inFolders: boolean): Generator<CatalogChange> {
	const count = Math.floor(corpus.perPeer / 100);
	for (let place = 0; place < count; place++) {
		const file = corpus.file(0, inFolders ? place : place * 100);
		const other = corpus.file(1, place + (inFolders ? count : 0));
		yield {...file, content: other.content, size: other.size};
	}
}

/** What it costs the first peer of a corpus, which is registered, to come back. */
export async function comeBack(
	{port, id}: {port: number; id: string},
	corpus: Corpus,
	{identity, epoch}: {identity: Identity; epoch: string},
): Promise<Again[]> {
	let [sent, received] = [0, 0];
	const relay = createServer(near => {
		const far = connect(port, '127.0.0.1');
		const end = (socket: Socket) => () => socket.destroy();
		near.on('data', data => (sent += data.length)).pipe(far);
		far.on('data', data => (received += data.length)).pipe(near);
		near.on('error', end(far)).on('close', end(far));
		far.on('error', end(near)).on('close', end(near));
	});
	await new Promise<void>(resolve => relay.listen(0, '127.0.0.1', resolve));
	const there = {host: '127.0.0.1', port: (relay.address() as {port: number}).port, id};
	const client = new SecureClient(identity);
	const results: Again[] = [];
	const measure = async (what: string, work: () => Promise<unknown>) => {
		[sent, received] = [0, 0];
		const started = performance.now();
		await work();
		const ms = performance.now() - started;
		// What is still on its way: session tickets, acknowledgements of TLS.
		await new Promise(resolve => setTimeout(resolve, 200));
		results.push({what, ms, sent, received});
	};
	const files = corpus.perPeer;
	let have: CatalogPoint | null = null;
	const register = async (version: number) => {
		const body = {name: 'peer 0', port: 25_000, epoch, version};
		const answer = await client.json(there, {
			...{method: 'PUT', path: '/v1/peers/me', body, schema: registerResponseSchema},
		});
		have = answer.have;
	};
	try {
		await measure('unchanged, with the TLS handshake', () => register(files));
		await measure('unchanged, on a connection that is open', () => register(files));
		if ((have as CatalogPoint | null)?.version !== files) throw new Error('the server wants it again');
		let before = files;
		for (const inFolders of [false, true]) {
			const changes = [...changed(corpus, inFolders)];
			const catalog = logOf(epoch, before, changes);
			await measure(`1% changed, ${inFolders ? 'in folders' : 'one here, one there'}`, async () => {
				await register(catalog.version);
				const options = {
					client,
					target: there,
					catalog,
					stall: 60_000,
					compact: true,
					signal: new AbortController().signal,
				};
				await publish(have, options);
			});
			before = catalog.version;
		}
	} finally {
		client.close();
		relay.close();
	}
	return results;
}
