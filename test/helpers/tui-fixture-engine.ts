// Engines that play a script: they answer at once and from memory. For looking at the screens and for testing keys.
import {P2pError} from '../../source/core/errors.ts';
import {
	type GetRequest,
	logKept,
	type PeerCommands,
	type PeerEngine,
	type PeerSnapshot,
	type ServerEngine,
	type ServerSnapshot,
	type TransferRow,
	type VisibleWindows,
} from '../../source/engine/messages.ts';
import {
	browseEntries,
	detailsOf,
	fixedTime,
	hits,
	logLine,
	peerRows,
	requestRow,
	selfId,
	shareRows,
	sourcesOf,
	transferRows,
	wave,
} from './tui-fixture-data.ts';

/** How full the fixture is, and whether it moves by itself. */
export type FixtureOptions = {
	state?: 'empty' | 'typical' | 'overfull';
	/** Milliseconds between changes; 0: nothing moves. */
	tick?: number;
	/** The present moment, Unix milliseconds: when the server started is counted from it. */
	now?: number;
};

const window = <T>(rows: readonly T[], wanted: {offset: number; rows: number} | undefined) => {
	const {offset, rows: count} = wanted ?? {offset: 0, rows: 50};
	return {offset: Math.min(offset, rows.length), total: rows.length, rows: rows.slice(offset, offset + count)};
};

const turned = (samples: number[], by: number) => [
	...samples.slice(by % samples.length),
	...samples.slice(0, by % samples.length),
];

/** A peer engine with every command answered. `calls` keeps what was asked of it. */
export function fixturePeer({state = 'typical', tick = 0}: FixtureOptions = {}): PeerEngine & {
	calls: [name: string, request: unknown][];
	change(edit: (rows: TransferRow[]) => void): void;
	/** Lets so many milliseconds pass: what runs moves on, the log gets a line. */
	advance(milliseconds: number): void;
} {
	const isEmpty = state === 'empty';
	const peers = peerRows(isEmpty ? 0 : state === 'typical' ? 37 : 5000);
	const transfers = transferRows(isEmpty ? 0 : state === 'typical' ? 14 : 1000, peerRows(20));
	const total = isEmpty ? 0 : state === 'typical' ? 1234 : 100_000;
	let shares = isEmpty ? [] : [...shareRows];
	let seen: VisibleWindows = {};
	let lines = isEmpty ? 0 : 24;
	let turn = 0;
	const calls: [string, unknown][] = [];
	const listeners = new Set<() => void>();
	const ended = Promise.withResolvers<void>();
	const count = (test: (row: TransferRow) => boolean) => transfers.filter(test).length;
	const make = (): PeerSnapshot => ({
		mode: 'peer',
		id: selfId,
		name: 'workbench',
		host: '0.0.0.0',
		port: 25_000,
		servers: isEmpty
			? [{address: '10.0.0.5:45000', state: 'lost', message: 'connection refused'}]
			: [{address: '10.0.0.5:45000', state: 'online', number: 4, rtt: 3}],
		down: {now: isEmpty ? 0 : 33.7e6 + (turn % 9) * 1e6, history: isEmpty ? [] : turned(wave(60, 3e7), turn)},
		up: {now: isEmpty ? 0 : 9.8e6 + (turn % 7) * 1e5, history: isEmpty ? [] : turned(wave(60, 1e7, 9), turn)},
		scan: {files: isEmpty ? 0 : 1284, bytes: isEmpty ? 0 : 1.7e11, hashed: isEmpty ? 0 : 9.8e10, done: isEmpty},
		shares,
		transfers: {
			...window(transfers, seen.transfers),
			counts: {
				down: count(row => row.state === 'running' && row.direction === 'down'),
				up: count(row => row.state === 'running' && row.direction === 'up'),
				waiting: count(row => row.state === 'queued' || row.state === 'waiting'),
				paused: count(row => row.state === 'paused'),
				failed: count(row => row.state === 'failed'),
				done: count(row => row.state === 'done'),
			},
		},
		peers: {...window(peers, seen.peers), online: peers.filter(peer => peer.online).length},
		log: Array.from({length: Math.min(lines, logKept)}, (_, index) => logLine(Math.max(0, lines - logKept) + index)),
		downloads: {folder: '/srv/downloads', freeBytes: 2.1e11},
	});
	let snapshot = make();
	const changed = () => {
		snapshot = make();
		for (const listener of listeners) listener();
	};
	const advance = (milliseconds: number) => {
		lines++;
		turn++;
		for (const row of transfers)
			if (row.state === 'running') row.done = Math.min(row.size, row.done + (row.speed * milliseconds) / 1000);
		changed();
	};
	const timer = tick > 0 ? setInterval(() => advance(tick), tick) : undefined;
	const find = (key: string) => {
		const row = transfers.find(candidate => candidate.key === key);
		if (!row) throw new P2pError('not-found', 'No such transfer');
		return row;
	};
	const answered = <K extends keyof PeerCommands>(name: K, work: PeerCommands[K]): PeerCommands[K] =>
		(async (request: never) => {
			calls.push([name, request]);
			return (work as (request: never) => unknown)(request);
		}) as unknown as PeerCommands[K];
	const commands: PeerCommands = {
		search: answered('search', async ({query, limit = 50, cursor}) => {
			if (query.includes('boom')) throw new P2pError('unreachable', 'The index server does not answer');
			const found = query.includes('zzz') ? 0 : total;
			const offset = Number(cursor ?? 0);
			const page = hits(peers, query, found, offset, limit);
			return {
				hits: page,
				total: found,
				more: false,
				...(offset + page.length < found && {cursor: String(offset + page.length)}),
				ms: 3.4,
			};
		}),
		sources: answered('sources', async ({content}) => {
			const hit = hits(peers, 'ubuntu', 40).find(candidate => candidate.content === content);
			if (!hit) throw new P2pError('not-found', 'No such content');
			return {...hit, sources: sourcesOf(hit.name, peers)};
		}),
		get: answered('get', async ({content, name, size, from}: GetRequest) => {
			const existed = transfers.some(row => row.content === content);
			const key = `get ${content}`;
			if (!existed)
				transfers.unshift({
					key,
					direction: 'down',
					content,
					name,
					size,
					done: 0,
					speed: 1e6,
					state: 'running',
					peers: from ?? [],
				});
			changed();
			return {key, existed};
		}),
		getFolder: answered('getFolder', async ({path: folder}) => ({key: `folder ${folder}`, existed: false})),
		move: answered('move', async ({key, by}) => {
			const from = transfers.indexOf(find(key));
			const [row] = transfers.splice(from, 1);
			if (row) transfers.splice(Math.max(0, from + by), 0, row);
			changed();
		}),
		setLimits: answered('setLimits', async () => {}),
		transferDetails: answered('transferDetails', async ({key}) => detailsOf(find(key))),
		pause: answered('pause', async ({key}) => {
			find(key).state = 'paused';
			changed();
		}),
		resume: answered('resume', async ({key}) => {
			find(key).state = 'running';
			changed();
		}),
		cancel: answered('cancel', async ({key}) => {
			transfers.splice(transfers.indexOf(find(key)), 1);
			changed();
		}),
		retry: answered('retry', async ({key}) => {
			find(key).state = 'queued';
			changed();
		}),
		browse: answered('browse', async ({path}) => ({entries: browseEntries(path)})),
		addShare: answered('addShare', async ({folder}) => {
			if (folder.includes('missing')) throw new P2pError('not-found', `No such folder: ${folder}`);
			const share = {
				name: folder.split('/').at(-1) ?? folder,
				folder,
				files: 0,
				bytes: 0,
				hashed: 0,
				sent: 0,
				state: 'scanning' as const,
			};
			shares = [...shares, share];
			changed();
			return share;
		}),
		removeShare: answered('removeShare', async ({name}) => {
			shares = shares.filter(share => share.name !== name);
			changed();
		}),
		rescan: answered('rescan', async () => {}),
		setAudience: answered('setAudience', async ({name, peers: given}) => {
			shares = shares.map(({audience: _before, ...share}) =>
				share.name === name && given ? {...share, audience: given} : share,
			);
			changed();
		}),
		ping: answered('ping', async ({peers: asked}) =>
			Object.fromEntries(asked.map((peer, index) => [peer, 5 + index * 17.3])),
		),
		windows: answered('windows', async request => {
			seen = {...seen, ...request};
			changed();
		}),
	};
	return {
		calls,
		advance,
		change(edit) {
			edit(transfers);
			changed();
		},
		snapshot: () => snapshot,
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		commands,
		async stop() {
			clearInterval(timer);
			ended.resolve();
		},
		ended: ended.promise,
	};
}

/** A server engine. */
export function fixtureServer({state = 'typical', tick = 0, now = Date.now()}: FixtureOptions = {}): ServerEngine {
	const isEmpty = state === 'empty';
	const peers = peerRows(isEmpty ? 0 : state === 'typical' ? 412 : 5000);
	let lines = isEmpty ? 0 : 300;
	let seen: VisibleWindows = {};
	const listeners = new Set<() => void>();
	const ended = Promise.withResolvers<void>();
	const make = (): ServerSnapshot => ({
		mode: 'server',
		id: selfId,
		name: 'workbench',
		host: '0.0.0.0',
		port: 45_000,
		startedAt: now - 8_049_000,
		counts: isEmpty
			? {peers: 0, online: 0, files: 0, bytes: 0, joinedLastMinute: 0}
			: {
					peers: peers.length + 31,
					online: peers.filter(peer => peer.online).length,
					files: 1_204_331,
					bytes: 1.82e13,
					joinedLastMinute: 3,
				},
		requests: {now: isEmpty ? 0 : 58, history: isEmpty ? [] : wave(60, 60)},
		latency: {
			p50: isEmpty ? 0 : 0.2,
			p99: isEmpty ? 0 : 3.1,
			history: isEmpty ? [] : wave(60, 3, 5).map((value, index) => (index % 23 === 7 ? 8 : value / 2)),
		},
		searches: {now: isEmpty ? 0 : 41, history: isEmpty ? [] : wave(300, 131), max: isEmpty ? 0 : 131},
		traffic: {in: isEmpty ? 0 : 1.2e6, out: isEmpty ? 0 : 3.4e6},
		loopDelay: 0.9,
		errorShare: isEmpty ? 0 : 0.004,
		log: Array.from({length: Math.min(lines, logKept)}, (_, index) => requestRow(Math.max(0, lines - logKept) + index)),
		peers: {...window(peers, seen.peers), online: peers.filter(peer => peer.online).length},
	});
	let snapshot = make();
	const changed = () => {
		snapshot = make();
		for (const listener of listeners) listener();
	};
	const timer =
		tick > 0
			? setInterval(() => {
					lines += 3;
					changed();
				}, tick)
			: undefined;
	return {
		snapshot: () => snapshot,
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		commands: {
			async kick({peer}) {
				const index = peers.findIndex(row => row.id === peer);
				if (index === -1) throw new P2pError('not-found', 'No such peer');
				peers.splice(index, 1);
				changed();
			},
			export: async () => ({json: '/srv/peers.json', csv: '/srv/peers.csv', peers: peers.length}),
			async windows(request) {
				seen = {...seen, ...request};
				changed();
			},
		},
		async stop() {
			clearInterval(timer);
			ended.resolve();
		},
		ended: ended.promise,
	};
}

/** The moment at which the fixture's clock stands. */
export const fixtureTime = fixedTime;
