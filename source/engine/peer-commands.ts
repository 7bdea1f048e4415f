import type {PeerInfo} from '../api/schemas.ts';
import {mostRunning, mostSlots, parseCount, parseRate} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {DownloadManager} from '../download/manager.ts';
import type {Identity} from '../identity/identity.ts';
import type {SecureClient} from '../net/secure-client.ts';
import type {Shares} from '../share/shares.ts';
import type {UploadServer} from '../upload/upload-server.ts';
import {browsePeer} from './browse-peer.ts';
import type {Router} from './directory.ts';
import {readPath} from './get-folder.ts';
import type {PeerCommands, VisibleWindows} from './messages.ts';
import type {PeerPings} from './peer-pings.ts';
import type {PeerRules} from './peer-rules.ts';
import {TypedSearches} from './typed-searches.ts';

/** What the commands act on. */
export type PeerCommandParts = {
	identity: Identity;
	bus: EngineBus;
	client: SecureClient;
	router: Router;
	livePeers(): PeerInfo[];
	shares: Shares;
	rules: Pick<PeerRules, 'setAudience'>;
	downloads: DownloadManager;
	uploads: UploadServer;
	pings: PeerPings;
	windows(visible: VisibleWindows): void;
};

/** What a screen can ask of a running peer. */
export function peerCommands({
	identity,
	bus,
	client,
	router,
	livePeers,
	shares,
	rules,
	downloads,
	uploads,
	pings,
	windows,
}: PeerCommandParts): PeerCommands {
	/** Peers at whom something was seen that the index does not know: it is shared with us alone. */
	const seenAt = (peers: string[] = []) =>
		livePeers().flatMap(({id, ...info}) => (peers.includes(id) ? [{...info, peer: id}] : []));
	const typing = new TypedSearches();
	return {
		async search({query, limit, cursor, typed}) {
			const start = performance.now();
			const answer = await (typed
				? typing.search(router, query, {limit, cursor})
				: router.search(query, {limit, cursor}));
			const ms = Math.round((performance.now() - start) * 10) / 10;
			bus.emit('search', {query, hits: answer.total, ms});
			return {...answer, ms};
		},
		sources: ({content}) => router.sources(content),
		async get({content, name, size, from}) {
			const found = await router.sources(content).catch(() => undefined);
			const sources = (found?.sources ?? seenAt(from)).filter(source => source.online && source.peer !== identity.id);
			const {key, existed} = await downloads.add({content, name, size, sources, from});
			return {key: `down:${key}`, existed};
		},
		async getFolder({peer, path}) {
			// Seen at that peer, but wanted from whoever has it.
			const found = {...(await readPath(router, client, peer, path)), from: undefined};
			const {key, existed} = await ('files' in found ? downloads.addFolder(found) : downloads.add(found));
			return {key: `down:${key}`, existed};
		},
		transferDetails: async ({key}) => {
			const details = downloads.details(downloadKey(key));
			return {...details, row: {...details.row, key}};
		},
		async move({key, by}) {
			if (!Number.isSafeInteger(by)) throw new P2pError('usage', `Not a number of places: ${by}`);
			downloads.reorder(downloadKey(key), by);
		},
		async setLimits({down, up, running, slots}) {
			// All are looked at before any is set.
			const [downRate, upRate] = [parseRate(down), parseRate(up)];
			parseCount(running, 'downloads at once', mostRunning);
			parseCount(slots, 'slots', mostSlots);
			if (down !== undefined) downloads.setLimit(downRate);
			if (up !== undefined) uploads.setLimit(upRate);
			if (running !== undefined) downloads.setRunning(running);
			if (slots !== undefined) uploads.setSlots(slots);
		},
		pause: async ({key}) => downloads.pause(downloadKey(key)),
		resume: async ({key}) => downloads.resume(downloadKey(key)),
		cancel: async ({key}) => downloads.cancel(downloadKey(key)),
		retry: async ({key}) => downloads.retry(downloadKey(key)),
		browse: ({peer, path, cursor}) => browsePeer(router, client, peer, {path, cursor}),
		async addShare({folder}) {
			const name = await shares.add(folder);
			const row = shares.list().find(share => share.name === name);
			if (!row) throw new P2pError('not-found', `The share ${name} is gone again`);
			return {...row, sent: 0};
		},
		removeShare: ({name}) => shares.remove(name),
		rescan: ({name}) => shares.rescan(name),
		async setAudience({name, peers}) {
			const share = shares.list().find(row => row.name === name);
			if (!share) throw new P2pError('not-found', `There is no share ${name}`);
			await rules.setAudience(share.folder, peers ?? undefined);
		},
		async ping({peers}) {
			const wanted = new Set(peers);
			await pings.measure(livePeers().filter(peer => wanted.has(peer.id) && peer.online));
			return Object.fromEntries(
				peers.flatMap(peer => (pings.rtt(peer) === undefined ? [] : [[peer, pings.rtt(peer)!]])),
			);
		},
		windows: async visible => windows(visible),
	};
}

/** The download manager's own key of a row in the transfers pane. @throws P2pError usage for an upload */
function downloadKey(key: string): string {
	if (key.startsWith('down:')) return key.slice('down:'.length);
	throw new P2pError('usage', 'That is an upload: the other side decides about it');
}
