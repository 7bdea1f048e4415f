// Invented peers, files and lines that fill the screens in tests and pictures.
import {createHash} from 'node:crypto';
import type {BrowseEntry, ContentSources, Source} from '../../source/api/schemas.ts';
import type {
	LogLine,
	PeerRow,
	RequestRow,
	ShareRow,
	TransferDetails,
	TransferRow,
} from '../../source/engine/messages.ts';

/** A fixed moment: 1 March 2026, 12:05:00 UTC. */
export const fixedTime = Date.UTC(2026, 2, 1, 12, 5, 0);

/** A hex ID that is the same in every run. */
export const idFor = (text: string) => createHash('sha256').update(text).digest('hex');

/** Numbers that look random and are the same in every run. */
export function randomFrom(seed: number): () => number {
	let state = Math.imul((seed + 1) >>> 0, 2_654_435_761) >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

const names = [
	'alice',
	'bob',
	'nas-attic',
	'lecture-hall',
	'Zoë',
	'日本語-pc',
	'thinkpad-x1',
	'pi4',
	'marie',
	'office-3f',
	'studio',
	'backup',
	'kitchen',
	'lab-07',
	'lab-08',
	'lab-09',
	'lab-10',
	'garage',
	'old-imac',
	'router-box',
];

export const selfId = idFor('self');

export function peerRows(count: number): PeerRow[] {
	const random = randomFrom(7);
	return Array.from({length: count}, (_, index) => ({
		id: index === 3 ? selfId : idFor(`peer ${index}`),
		number: index + 1,
		name: index === 3 ? 'workbench' : index < names.length ? (names[index] ?? '') : `peer-${index}`,
		host: `10.0.${index >> 5}.${20 + (index % 200)}`,
		port: 25_000,
		files: Math.floor(random() * 8000),
		bytes: Math.floor(random() * 4e11),
		online: index % 11 !== 10,
		since: new Date(fixedTime - Math.floor(random() * 90_000_000)).toISOString(),
		...(index % 11 !== 10 && index !== 3 && {rtt: random() * 180}),
		self: index === 3,
	}));
}

const files: [string, number][] = [
	['ubuntu-24.04.2-desktop-amd64.iso', 6.2e9],
	['ubuntu-24.04.2-live-server-amd64.iso', 2.8e9],
	['ubuntu-22.04.5-desktop-amd64.iso', 4.7e9],
	['ubuntu-core-24-amd64.img.xz', 432e6],
	['ubuntu-24.04-wsl-amd64.tar.gz', 354e6],
	['ubuntu-mate-24.04.1-desktop-amd64.iso', 4.2e9],
	['Ubuntu 日本語 Remix 24.04.iso', 4.4e9],
	['ubuntu-studio-24.10-dvd-amd64.iso', 5.5e9],
	['ubuntu-cloudimg-noble-20250210.qcow2', 630e6],
	['ubuntu-font-family-0.83.zip', 1.7e6],
	['lubuntu-24.04.1-desktop-amd64.iso', 3.3e9],
	['kubuntu-24.10-desktop-amd64.iso', 4.9e9],
	['xubuntu-24.04-minimal-amd64.iso', 2.6e9],
	['ubuntu-server-guide-2024.pdf', 8.6e6],
	['ubuntu-touch-20.04-ota7.tar.xz', 933e6],
	['Ubuntu \u202egnp.exe\u202c release party 👨‍👩‍👧 🇩🇪.mkv', 1.1e9],
	['क्षत्रिय ubuntu notes ễ ñ.txt', 2100],
];

/** The sources of a file: 1 to 9 peers, none of them this one. */
export function sourcesOf(name: string, peers: readonly PeerRow[]): Source[] {
	const random = randomFrom(name.length * 31 + (name.codePointAt(8) ?? 0));
	const count = Math.min(peers.length - 1, 1 + Math.floor(random() * 8));
	return peers
		.filter(peer => !peer.self)
		.slice(0, count)
		.map(peer => ({
			peer: peer.id,
			number: peer.number,
			name: peer.name,
			host: peer.host,
			port: peer.port,
			path: `iso/${name}`,
			sharedAt: new Date(fixedTime - Math.floor(random() * 9e9)).toISOString(),
			online: peer.online,
		}));
}

export function hits(
	peers: readonly PeerRow[],
	query: string,
	total: number,
	offset = 0,
	limit = 100,
): ContentSources[] {
	return Array.from({length: Math.max(0, Math.min(limit, total - offset))}, (_, at) => {
		const index = offset + at;
		const [name, size] = files[index] ?? [
			`${query}-archive-${String(index).padStart(6, '0')}.tar.zst`,
			1e6 + index * 7919,
		];
		const sources = sourcesOf(name, peers);
		return {content: idFor(name), name, size, sources, sourceCount: sources.filter(source => source.online).length};
	});
}

export function transferRows(count: number, peers: readonly PeerRow[]): TransferRow[] {
	const base = (name: string, size: number, done: number, rest: Partial<TransferRow>): TransferRow => ({
		key: name,
		direction: 'down',
		content: idFor(name),
		name,
		size,
		done,
		speed: 0,
		state: 'queued',
		peers: [],
		...rest,
	});
	const id = (index: number) => peers[index]?.id ?? idFor('x');
	const rows = [
		base('ubuntu-24.04.2-desktop-amd64.iso', 6.2e9, 4.15e9, {
			state: 'running',
			speed: 25e6,
			peers: [id(0), id(1), id(4)],
			bottleneck: {stage: 'their-limit', text: 'the sources send no faster'},
		}),
		base('debian-12.9.0-amd64-DVD-1.iso', 3.9e9, 0.52e9, {state: 'running', speed: 8.7e6, peers: [id(2)]}),
		base('wikipedia-en-2025-01.zim', 1.09e11, 6.4e10, {
			state: 'running',
			direction: 'up',
			speed: 9.5e6,
			peers: [id(5)],
		}),
		base('big_buck_bunny_1080p.mkv', 7.2e8, 7.2e8, {state: 'verifying'}),
		base('lecture-07-distributed.mp4', 4.1e8, 1.27e8, {
			state: 'running',
			direction: 'up',
			speed: 386e3,
			peers: [id(6)],
		}),
		base('arch-2025.02.01-x86_64.iso', 1.2e9, 1.2e9, {
			state: 'done',
			path: '/home/me/downloads/downloaded_arch-2025.02.01-x86_64.iso',
		}),
		base('dataset-openimages-part03.tar', 5e10, 2e9, {state: 'failed', message: 'peer c2a9f1aa reset the connection'}),
		base('gentoo-minimal-20250209.iso', 6e8, 1.92e8, {state: 'paused'}),
		base('opensuse-tumbleweed.iso', 4.6e9, 0, {state: 'waiting', message: 'no source is online'}),
	];
	while (rows.length < count) rows.push(base(`queued-item-${rows.length + 1}.bin`, 1e8, 0, {}));
	return rows.slice(0, count);
}

const logTexts: [LogLine['kind'], LogLine['level'], string][] = [
	['server', 'info', 'registered at 10.0.0.5:45000 as number 4'],
	['down', 'info', 'ubuntu-24.04.2-desktop-amd64.iso 1959/2969 from alice'],
	['other', 'warn', 'peer nas-attic is slow, its pieces go to others'],
	['up', 'info', 'wikipedia-en-2025-01.zim to 日本語-pc'],
	['done', 'info', 'arch-2025.02.01-x86_64.iso is verified and on disk'],
	['peer', 'info', 'lab-08 joined with 1,562 files'],
	['search', 'info', 'ubuntu: 100,000 hits in 38 ms'],
	['share', 'info', '~/datasets/openimages: 3 new files'],
	['down', 'error', 'dataset-openimages-part03.tar: the connection was reset'],
	['other', 'debug', 'event stream: counts'],
];

export function logLine(seq: number): LogLine {
	const [kind, level, text] = logTexts[seq % logTexts.length] ?? ['other', 'info', ''];
	return {seq, time: fixedTime + seq * 700, kind, level, text};
}

export const shareRows: ShareRow[] = [
	{
		name: 'lectures',
		folder: '/srv/Videos/lectures',
		files: 184,
		bytes: 3.1e10,
		hashed: 3.1e10,
		sent: 1.2e10,
		state: 'watching',
	},
	{name: 'flac', folder: '/srv/Music/flac', files: 932, bytes: 1.4e10, hashed: 1.4e10, sent: 2e9, state: 'watching'},
	{name: 'iso', folder: '/srv/iso', files: 9, bytes: 9.1e9, hashed: 9.1e9, sent: 6.1e10, state: 'watching'},
	{
		name: 'openimages',
		folder: '/srv/datasets/openimages',
		files: 159,
		bytes: 1.18e11,
		hashed: 4.4e10,
		sent: 0,
		state: 'scanning',
	},
];

export function browseEntries(path: string): BrowseEntry[] {
	if (path === '')
		return [
			{type: 'folder', path: 'iso', size: 9.1e10, files: 214},
			{type: 'folder', path: 'testing_files', size: 4.2e5, files: 2},
		];
	if (path.split('/').length > 2) return [];
	return [
		{type: 'folder', path: `${path}/old`, size: 1e9, files: 12},
		...files.map(([name, size]): BrowseEntry => ({type: 'file', path: `${path}/${name}`, size, content: idFor(name)})),
	];
}

const verbs: [string, string, string, boolean][] = [
	['SEARCH', '"lecture 07"', '213 hits', true],
	['RENEW', '10.0.0.41:25000', 'ok', true],
	['REGISTER', '10.0.0.32:25000', 'needs-identity', false],
	['SEARCH', 'ext:flac', '418 hits', true],
	['LOOKUP', '38c2ff91', 'ok', true],
	['PUBLISH', '+467 -3 files', 'ok', true],
	['BROWSE', 'iso/', '214 entries', true],
	['SEARCH', 'ubuntu', '48 hits', true],
	['EVENTS', '', 'ok', true],
	['PEERS', '', '412 peers', true],
];

export function requestRow(seq: number): RequestRow {
	const random = randomFrom(seq + 11);
	const [verb, argument, result, ok] = verbs[Math.floor(random() * verbs.length)] ?? ['INFO', '', 'ok', true];
	return {
		seq,
		time: fixedTime + seq * 240,
		verb,
		peer: idFor(`peer ${Math.floor(random() * 40)}`),
		argument,
		result,
		ok,
		ms: random() * random() * 9,
	};
}

/** A wave with noise, for rates. */
export function wave(count: number, height: number, seed = 3): number[] {
	const random = randomFrom(seed);
	return Array.from({length: count}, (_, index) =>
		Math.max(0, height * (0.55 + 0.4 * Math.sin(index / (count / 11))) * (0.8 + random() * 0.4)),
	);
}

/** The details of a download: pieces from three sources, one of which was dropped. */
export function detailsOf(row: TransferRow): TransferDetails {
	const random = randomFrom(row.size);
	const pieces = 2969;
	const there = Math.floor((row.done / row.size) * pieces);
	const map = new Uint8Array(pieces);
	for (let piece = 0, source = 1; piece < pieces; piece++) {
		if (random() < 0.04) source = 1 + Math.floor(random() * 3);
		if (piece < there * 0.2) map[piece] = 255;
		else if (piece < there || (piece < there * 1.15 && random() < 0.4)) map[piece] = source;
	}
	const share = (
		peer: number,
		bytes: number,
		speed: number,
		state: TransferDetails['sources'][number]['state'],
		message?: string,
	) => ({
		peer: idFor(`peer ${peer}`),
		name: names[peer] ?? '',
		bytes,
		speed,
		state,
		...(message !== undefined && {message}),
	});
	return {
		row: {...row, state: row.state},
		pieces,
		map,
		sources: [
			share(0, row.done * 0.5, 14e6, 'active'),
			share(1, row.done * 0.3, 9e6, 'active'),
			share(5, row.done * 0.1, 0, 'queued', 'place 3 in its queue'),
			share(2, 0, 0, 'dropped', 'sent a piece with wrong bytes'),
		],
		speedHistory: wave(120, 2.5e7),
		log: [
			{time: fixedTime, text: 'asked 4 sources'},
			{time: fixedTime + 2000, text: 'nas-attic sent a piece with wrong bytes: dropped'},
		],
	};
}
