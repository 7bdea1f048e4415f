// Connected peers, in a process of their own. Arguments: port of the server, number of peers. Each registers under a key of its own,
// holds its event stream open and renews over a second connection three times a lease, as the client does.
import {connect, type TLSSocket} from 'node:tls';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';
import {short} from './statistics.ts';

/** What the process says of its peers when it is asked. */
export type PeersState = {lost: number; refused: number; renewals: number; events: number; cpuMs: number};

const [port = 0, peers = 0] = process.argv.slice(2).map(Number);
/** Connections that are made at the same time. */
const lanes = 50;
const renewEvery = 5000;

const state: PeersState = {lost: 0, refused: 0, renewals: 0, events: 0, cpuMs: 0};
let leaving = false;

function registration(place: number): string {
	const body = JSON.stringify({name: `p${place}`, port: 25_000, epoch: 'cd'.repeat(16), version: 0});
	const head = 'PUT /v1/peers/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json';
	return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function open(identity: Identity): Promise<TLSSocket> {
	return new Promise((resolve, reject) => {
		const socket = connect({host: '127.0.0.1', port, ...tlsOptions(identity)}, () => resolve(socket));
		socket.once('error', reject);
		socket.once('close', () => {
			if (!leaving) state.lost++;
		});
	});
}

/** Registers, and goes on renewing. */
async function stayRegistered(identity: Identity, place: number): Promise<void> {
	const socket = await open(identity);
	await new Promise<void>(resolve => {
		socket.on('data', chunk => {
			if (chunk.toString('latin1', 9, 12) !== '200') state.refused++;
			else state.renewals++;
			resolve();
		});
		socket.write(registration(place));
	});
	setTimeout(() => {
		setInterval(() => socket.write(registration(place)), renewEvery);
	}, Math.random() * renewEvery);
}

async function listen(identity: Identity): Promise<void> {
	const socket = await open(identity);
	await new Promise<void>(resolve => {
		let head = '';
		socket.on('data', chunk => {
			// Counting them costs this process less than reading them would.
			state.events++;
			if (head.includes('event: hello')) return;
			head += chunk.toString('latin1');
			if (head.includes('event: hello')) resolve();
		});
		socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
	});
}

const identities = await Promise.all(Array.from({length: peers}, () => temporaryIdentity()));
const started = performance.now();
let next = 0;
await Promise.all(
	Array.from({length: lanes}, async () => {
		for (let place = next++; place < peers; place = next++) {
			const identity = identities[place]!;
			await stayRegistered(identity, place);
			await listen(identity);
		}
	}),
);
process.send?.(`${peers} peers came within ${short((performance.now() - started) / 1000)} s`);
process.on('message', message => {
	if (message === 'leave') {
		leaving = true;
		process.exit();
	}
	const {user, system} = process.cpuUsage();
	process.send?.({...state, cpuMs: (user + system) / 1000});
});
