import {statfs} from 'node:fs/promises';
import type {PeerInfo} from '../api/schemas.ts';
import type {PeerOptions} from '../config/options.ts';
import type {Address} from '../core/address.ts';
import type {EngineBus, EngineEvents} from '../core/events.ts';
import type {DownloadManager} from '../download/manager.ts';
import type {Identity} from '../identity/identity.ts';
import type {IndexClient} from '../index/client.ts';
import type {Shares} from '../share/shares.ts';
import type {UploadRow} from '../upload/sessions.ts';
import type {UploadServer} from '../upload/upload-server.ts';
import type {LiveLog} from './live-log.ts';
import type {PeerRow, PeerSnapshot, TransferRow, VisibleWindows} from './messages.ts';
import type {PeerPings} from './peer-pings.ts';
import {RateMeter} from './rate-meter.ts';
import type {ShareAudiences} from './share-audiences.ts';
import {createSnapshotSource, type SnapshotSource} from './snapshot-source.ts';
import {transferWindow} from './transfer-window.ts';

/** The running parts of a peer that its screen shows. */
export type PeerParts = {
	options: PeerOptions;
	identity: Identity;
	address: Address;
	bus: EngineBus;
	/** Index servers, and the table where it is taken part in. */
	servers: Array<Pick<IndexClient, 'link' | 'onChange'>>;
	livePeers(): PeerInfo[];
	shares: Shares;
	uploads: UploadServer;
	downloads: DownloadManager;
	pings: PeerPings;
	audiences: Pick<ShareAudiences, 'of'>;
	log: LiveLog;
};

/** Snapshots of a running peer, and which rows of its lists they hold. */
export type PeerScreen = Pick<SnapshotSource<PeerSnapshot>, 'snapshot' | 'subscribe' | 'stop'> & {
	windows(visible: VisibleWindows): void;
};

/** Milliseconds between two looks at the free space and at round trips. */
const slowReads = 5000;

/** Follows a peer's parts and makes snapshots of them. */
export function watchPeer(parts: PeerParts): PeerScreen {
	const {options, identity, address, bus, servers, shares, uploads, downloads, pings, log} = parts;
	const visible = {transfers: {offset: 0, rows: 200}, peers: {offset: 0, rows: 200}};
	const [down, up] = [new RateMeter(), new RateMeter()];
	let scan: EngineEvents['scan'] = {files: 0, bytes: 0, hashed: 0, done: options.shares.length === 0};
	let freeBytes = 0;
	let busy = false;

	const build = (): PeerSnapshot => ({
		...{mode: 'peer', id: identity.id, name: options.name, host: address.host, port: address.port},
		servers: servers.map(server => ({...server.link()})),
		down: down.rate(),
		up: up.rate(),
		scan,
		shares: shares.list().map(share => {
			const audience = parts.audiences.of(share.name);
			const sent = uploads.totals().shares[share.name] ?? 0;
			return {...share, sent, ...(audience && {audience: [...audience]})};
		}),
		transfers: transferWindow(downloads, uploads.uploads().map(uploadRow), visible.transfers),
		peers: peerWindow(parts.livePeers(), visible.peers, identity.id, pings),
		log: log.lines(),
		downloads: {folder: options.downloads, freeBytes},
	});
	const source = createSnapshotSource(build, {
		interval: 120,
		tick() {
			const [downBefore, upBefore] = [down.rate(), up.rate()];
			const now = performance.now();
			down.sample(downloads.received(), now);
			up.sample(uploads.totals().sent, now);
			// Speeds and bars move while something runs, and once more after it ended.
			const wasBusy = busy;
			busy = down.rate().now > 0 || up.rate().now > 0 || uploads.totals().running > 0 || downloads.counts().running > 0;
			return (
				busy ||
				wasBusy ||
				hasMoved(downBefore.history, down.rate().history) ||
				hasMoved(upBefore.history, up.rate().history)
			);
		},
	});
	log.changed = source.touch;
	const touching = ['scan', 'download-started', 'download-progress', 'download-finished', 'download-failed'] as const;
	const offs = [
		bus.on('scan', event => {
			scan = event;
		}),
		...touching.map(name => bus.on(name, source.touch)),
		...servers.map(server => server.onChange(source.touch)),
	];

	let watched = 0;
	const readSlowly = async () => {
		if (watched === 0) return;
		const [space] = await Promise.allSettled([statfs(options.downloads), pingVisible()]);
		if (space.status === 'fulfilled') freeBytes = space.value.bavail * space.value.bsize;
		source.touch();
	};
	const pingVisible = async () => {
		const all = parts.livePeers();
		pings.keepOnly(new Set(all.map(peer => peer.id)));
		const shown = sortPeers(all).slice(visible.peers.offset, visible.peers.offset + Math.min(visible.peers.rows, 50));
		await pings.measure(shown.filter(peer => peer.online && peer.id !== identity.id));
	};
	const slowTimer = setInterval(() => void readSlowly(), slowReads);
	slowTimer.unref();

	return {
		snapshot: source.snapshot,
		subscribe(listener) {
			watched++;
			void readSlowly();
			const off = source.subscribe(listener);
			return () => {
				watched--;
				off();
			};
		},
		windows(asked) {
			Object.assign(visible, asked);
			source.touch();
		},
		stop() {
			clearInterval(slowTimer);
			for (const off of offs) off();
			source.stop();
		},
	};
}

function uploadRow({key, peer, content, name, size, sent, speed, state, message}: UploadRow): TransferRow {
	return {key: `up:${key}`, direction: 'up', content, name, size, done: sent, speed, state, message, peers: [peer]};
}

/** Online ones first, each part by number. */
function sortPeers(peers: PeerInfo[]): PeerInfo[] {
	return peers.toSorted((a, b) => Number(b.online) - Number(a.online) || a.number - b.number);
}

function peerWindow(
	peers: PeerInfo[],
	visible: {offset: number; rows: number},
	self: string,
	pings: PeerPings,
): PeerSnapshot['peers'] {
	const rows = sortPeers(peers)
		.slice(visible.offset, visible.offset + visible.rows)
		.map((peer): PeerRow => ({...peer, rtt: pings.rtt(peer.id), self: peer.id === self}));
	return {offset: visible.offset, total: peers.length, online: peers.filter(peer => peer.online).length, rows};
}

/** Whether a graph looks different: one of nothing but zeros does not, however it goes on. */
function hasMoved(before: number[], after: number[]): boolean {
	return before !== after && [...before, ...after].some(rate => rate > 0);
}
