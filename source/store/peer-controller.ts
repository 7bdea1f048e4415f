// What a peer's screen asks of the engine, and how the answers come back into the state.
import type {ContentSources} from '../api/schemas.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import {formatBytes, shortId} from '../core/format.ts';
import {baseName} from '../core/share-path.ts';
import type {PeerEngine, TransferRow} from '../engine/messages.ts';
import {expandFolder} from './folder.ts';
import {
	currentEntry,
	currentHit,
	currentPeer,
	currentShare,
	currentSource,
	currentTransfer,
	wantedPeers,
} from './selectors.ts';
import type {ToastKind} from './state.ts';
import type {UiStore} from './ui-store.ts';
import {WindowSender} from './window-sender.ts';

/** Milliseconds without a key until a search as typed is asked. */
export const searchDelay = 120;

/** Hits that one question brings; more come as one scrolls. */
const pageSize = 100;

/** The commands of the peer's screen. None of them throws: a failure is told in a toast or where it belongs. */
export class PeerController {
	readonly #store: UiStore;
	readonly #engine: PeerEngine;
	#searchTimer: NodeJS.Timeout | undefined;
	#paging = false;
	readonly #windows: WindowSender;

	constructor(store: UiStore, engine: PeerEngine) {
		this.#store = store;
		this.#engine = engine;
		const lists = [
			{list: 'transfers', name: 'transfers'},
			{list: 'peers', name: 'peers'},
		] as const;
		this.#windows = new WindowSender(lists, windows => engine.commands.windows(windows));
	}

	/** Shows a message for some seconds. */
	say(kind: ToastKind, text: string): void {
		this.#store.dispatch({type: 'toast', kind, text});
	}

	/** What was typed into the search; asks when the typing pauses. */
	type(query: string): void {
		this.#store.dispatch({type: 'search/query', query});
		clearTimeout(this.#searchTimer);
		if (query.trim() === '') {
			this.#store.dispatch({type: 'search/clear'});
			if (query !== '') this.#store.dispatch({type: 'search/query', query});
			return;
		}
		this.#searchTimer = setTimeout(() => void this.#ask(), searchDelay);
	}

	/** Asks what is typed at once, if it was not asked yet. */
	askNow(): void {
		clearTimeout(this.#searchTimer);
		const {search} = this.#store.get();
		const query = search.query.trim();
		if (query !== '' && (query !== search.answered || search.error)) void this.#ask();
	}

	async #ask(): Promise<void> {
		const query = this.#store.get().search.query.trim();
		this.#store.dispatch({type: 'search/asked', query});
		const {asked} = this.#store.get().search;
		try {
			const answer = await this.#engine.commands.search({query, limit: pageSize});
			this.#store.dispatch({type: 'search/answer', asked, query, answer});
		} catch (error) {
			this.#store.dispatch({type: 'search/failed', asked, query, message: errorLine(error)});
		}
	}

	/** Loads what the screen is about to need: the next hits or entries, the windows of the long lists. */
	follow(): void {
		void this.#nextHits();
		void this.#nextEntries();
		this.#windows.follow(this.#store.get());
	}

	async #nextHits(): Promise<void> {
		const {search, lists} = this.#store.get();
		if (this.#paging || search.busy || search.cursor === undefined) return;
		if (lists.search.index < search.hits.length - pageSize / 2) return;
		this.#paging = true;
		try {
			const {asked} = search;
			const answer = await this.#engine.commands.search({
				query: search.answered,
				limit: pageSize,
				cursor: search.cursor,
			});
			this.#store.dispatch({type: 'search/page', asked, answer});
		} catch (error) {
			this.say('error', errorLine(error));
		} finally {
			this.#paging = false;
		}
	}

	/** Opens the dialog in which the sources of the chosen file are picked. */
	openGet(): void {
		const state = this.#store.get();
		const hit = currentHit(state);
		if (hit) this.#showGet(hit, wantedPeers(state, hit), state.search.peerIndex);
	}

	#showGet(hit: ContentSources, chosen: string[], cursor: number): void {
		this.#store.dispatch({type: 'overlay', overlay: {kind: 'get', hit, cursor, chosen, rtt: {}, busy: true}});
		void this.#loadSources(hit.content);
	}

	async #loadSources(content: string): Promise<void> {
		const {dispatch} = this.#store;
		try {
			const hit = await this.#engine.commands.sources({content});
			dispatch({type: 'get/sources', content, hit, busy: true});
			const peers = hit.sources.filter(source => source.online).map(source => source.peer);
			const rtt = await this.#engine.commands.ping({peers});
			dispatch({type: 'get/sources', content, rtt, busy: false});
		} catch (error) {
			dispatch({type: 'get/sources', content, busy: false, error: errorLine(error)});
		}
	}

	/** Starts the download of the open dialog. */
	async startGet(): Promise<void> {
		const {overlay} = this.#store.get().focus;
		if (overlay?.kind !== 'get') return;
		if (overlay.chosen.length === 0) {
			const other = overlay.hit.sources.some(source => source.peer !== this.#store.get().peer?.id);
			this.say('warn', other ? 'No peer is marked: space marks one, a marks all' : 'Only you hold this file');
			return;
		}
		this.#store.dispatch({type: 'overlay', overlay: undefined});
		await this.#get(overlay.hit, overlay.chosen);
	}

	/** Downloads the chosen file at once, from the marked peers, the one under the moved cursor, or all. */
	async getNow(): Promise<void> {
		const state = this.#store.get();
		const hit = currentHit(state);
		if (!hit) return;
		const from = wantedPeers(state, hit);
		if (from.length > 0) return this.#get(hit, from);
		const mine = hit.sources.some(source => source.peer === state.peer?.id);
		this.say('warn', mine ? 'Only you hold this file' : 'None of the peers that hold it is online now');
	}

	async #get(hit: ContentSources, from: readonly string[]): Promise<void> {
		const {content, name, size} = hit;
		// Without `from` the engine may also use sources that come up later: right when nobody chose.
		const all = hit.sources.filter(source => source.online && source.peer !== this.#store.get().peer?.id);
		const chosen = from.length < all.length || hit.sourceCount > hit.sources.length ? [...from] : undefined;
		try {
			const {existed} = await this.#engine.commands.get({content, name, size, ...(chosen && {from: chosen})});
			const who = from.length === 1 ? `from ${shortId(from[0] ?? '')}` : `from ${from.length} peers`;
			this.say(
				existed ? 'info' : 'ok',
				existed ? `${name} is already there or on its way` : `Getting ${name}, ${formatBytes(size)}, ${who}`,
			);
		} catch (error) {
			this.say('error', `${name}: ${errorLine(error)}`);
		}
	}

	async #transfer(
		able: (row: TransferRow) => string | undefined,
		work: (row: TransferRow) => Promise<void>,
	): Promise<void> {
		const row = currentTransfer(this.#store.get());
		if (!row) return this.say('info', 'No transfer is chosen');
		const reason = able(row);
		if (reason) return this.say('info', reason);
		try {
			await work(row);
		} catch (error) {
			this.say('error', `${row.name}: ${errorLine(error)}`);
		}
	}

	/** Pauses the chosen download, or lets it go on. */
	async togglePause(): Promise<void> {
		await this.#transfer(
			row => {
				if (row.direction === 'up') return 'An upload is paused by the peer that fetches it';
				if (row.state === 'done') return 'This download is finished';
				return row.state === 'failed' ? 'This download failed: r tries again' : undefined;
			},
			async row => {
				if (row.state === 'paused') await this.#engine.commands.resume({key: row.key});
				else await this.#engine.commands.pause({key: row.key});
			},
		);
	}

	/** Tries the chosen failed download again. */
	async retry(): Promise<void> {
		await this.#transfer(
			row => {
				if (row.direction === 'up') return 'An upload is retried by the peer that fetches it';
				return row.state === 'failed' || row.state === 'waiting' ? undefined : 'Only a failed download can be retried';
			},
			row => this.#engine.commands.retry({key: row.key}),
		);
	}

	/** Asks whether the chosen download is to be cancelled. */
	async askCancel(): Promise<void> {
		await this.#transfer(
			row => {
				if (row.direction === 'up') return 'An upload can be stopped by removing the share: 5, then x';
				return row.state === 'done' ? 'This download is finished' : undefined;
			},
			async row => {
				this.#store.dispatch({
					type: 'overlay',
					overlay: {
						kind: 'confirm',
						title: 'Cancel download?',
						lines: [row.name, `${formatBytes(row.done)} of ${formatBytes(row.size)} are here and would be deleted.`],
						yes: 'cancel it',
						no: 'keep it',
						command: {do: 'cancel', key: row.key},
					},
				});
			},
		);
	}

	/** Cancels a download after the question was answered. */
	async cancel(key: string): Promise<void> {
		await this.#engine.commands.cancel({key}).catch((error: unknown) => this.say('error', errorLine(error)));
	}

	/** Says where a finished download lies. */
	showPlace(): void {
		const row = currentTransfer(this.#store.get());
		const folder = this.#store.get().peer?.downloads.folder ?? '';
		this.say('info', row?.path ? `It lies at ${row.path}` : `Downloads go to ${folder}`);
	}

	/** Opens the tree of the chosen peer, or of the peer under the search's cursor. */
	browsePeer(from: 'peers' | 'search'): void {
		const state = this.#store.get();
		const source = from === 'search' ? currentSource(state) : undefined;
		const row = from === 'peers' ? currentPeer(state) : undefined;
		const id = source?.peer ?? row?.id;
		if (id === undefined) return this.say('info', 'No peer is chosen');
		if (row && !row.online) return this.say('info', `${row.name} is offline now`);
		this.#store.dispatch({type: 'pane', pane: 'peers'});
		void this.#openFolder(id, source?.name ?? row?.name ?? shortId(id), '');
	}

	async #openFolder(peer: string, name: string, path: string): Promise<void> {
		this.#store.dispatch({type: 'browse/open', peer, name, path});
		await this.#browsePage(false);
	}

	async #browsePage(append: boolean): Promise<void> {
		const {browse} = this.#store.get();
		if (!browse) return;
		const {peer, path, asked, cursor} = browse;
		try {
			const answer = await this.#engine.commands.browse({peer, path, ...(append && cursor !== undefined && {cursor})});
			this.#store.dispatch({type: 'browse/answer', asked, answer, append});
		} catch (error) {
			this.#store.dispatch({type: 'browse/failed', asked, message: errorLine(error)});
		}
	}

	async #nextEntries(): Promise<void> {
		const {browse, lists} = this.#store.get();
		if (!browse || browse.busy || browse.error || browse.cursor === undefined || this.#paging) return;
		if (lists.browse.index < browse.entries.length - 200) return;
		this.#paging = true;
		await this.#browsePage(true);
		this.#paging = false;
	}

	/** Opens the chosen folder, or gets the chosen file. */
	enterEntry(): void {
		const {browse} = this.#store.get();
		const entry = currentEntry(this.#store.get());
		if (!browse || !entry) return;
		if (entry.type === 'folder') void this.#openFolder(browse.peer, browse.name, entry.path);
		else void this.getEntry();
	}

	/** Gets the chosen file of a peer's tree, from that peer. */
	async getEntry(): Promise<void> {
		const {browse} = this.#store.get();
		const entry = currentEntry(this.#store.get());
		if (!browse || !entry) return;
		if (entry.type === 'folder') return this.say('info', 'This is a folder: Enter opens it');
		const name = baseName(entry.path);
		try {
			const request = {content: entry.content, name, size: entry.size, from: [browse.peer]};
			const {existed} = await this.#engine.commands.get(request);
			this.say(
				existed ? 'info' : 'ok',
				existed
					? `${name} is already there or on its way`
					: `Getting ${name}, ${formatBytes(entry.size)}, from ${browse.name}`,
			);
		} catch (error) {
			this.say('error', `${name}: ${errorLine(error)}`);
		}
	}

	/** One folder up, or back to the list of peers. */
	browseUp(): void {
		const {browse} = this.#store.get();
		if (!browse) return;
		if (browse.path === '') return this.#store.dispatch({type: 'browse/close'});
		const slash = browse.path.lastIndexOf('/');
		void this.#openFolder(browse.peer, browse.name, slash === -1 ? '' : browse.path.slice(0, slash));
	}

	/** Shares the folder that was typed. */
	async addShare(): Promise<void> {
		const {overlay} = this.#store.get().focus;
		if (overlay?.kind !== 'share' || overlay.busy) return;
		if (overlay.value.trim() === '') {
			this.#store.dispatch({type: 'share/state', busy: false, error: 'Type the path of a folder'});
			return;
		}
		this.#store.dispatch({type: 'share/state', busy: true});
		try {
			const share = await this.#engine.commands.addShare({folder: expandFolder(overlay.value)});
			this.#store.dispatch({type: 'overlay', overlay: undefined});
			this.say('ok', `Sharing ${share.name}`);
		} catch (error) {
			const text = error instanceof P2pError ? error.line : errorLine(error);
			this.#store.dispatch({type: 'share/state', busy: false, error: text});
		}
	}

	/** Looks through the chosen share again. */
	async rescan(): Promise<void> {
		const share = currentShare(this.#store.get());
		if (!share) return this.say('info', 'Nothing is shared yet: a adds a folder');
		try {
			await this.#engine.commands.rescan({name: share.name});
			this.say('info', `Looking through ${share.name} again`);
		} catch (error) {
			this.say('error', errorLine(error));
		}
	}

	/** Asks whether the chosen share is to be taken back. */
	askUnshare(): void {
		const share = currentShare(this.#store.get());
		if (!share) return this.say('info', 'Nothing is shared yet: a adds a folder');
		this.#store.dispatch({
			type: 'overlay',
			overlay: {
				kind: 'confirm',
				title: 'Stop sharing?',
				lines: [share.folder, `${share.files} files, ${formatBytes(share.bytes)}. Nothing is deleted from your disk.`],
				yes: 'stop sharing',
				no: 'keep it',
				command: {do: 'unshare', name: share.name},
			},
		});
	}

	/** Takes a share back after the question was answered. */
	async unshare(name: string): Promise<void> {
		try {
			await this.#engine.commands.removeShare({name});
			this.say('ok', `${name} is no longer shared`);
		} catch (error) {
			this.say('error', errorLine(error));
		}
	}

	/** Ends what runs on timers. */
	stop(): void {
		clearTimeout(this.#searchTimer);
	}
}
