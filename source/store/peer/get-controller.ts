import type {ContentSources} from '../../api/schemas.ts';
import {type FolderLink, looksLikeFolderLink, parseFolderLink} from '../../content/folder-link.ts';
import {type ContentLink, formatLink, parseLink} from '../../content/link.ts';
import {displayText} from '../../core/display.ts';
import {errorLine} from '../../core/errors.ts';
import {shortBytes, shortId} from '../../core/format.ts';
import {baseName} from '../../core/share-path.ts';
import {ableSources, currentHit, wantedPeers} from '../selectors.ts';
import {ControllerBase} from './controller-base.ts';

/** Downloads: at once, or after the sources were picked. */
export class GetController extends ControllerBase {
	/** Opens the dialog in which the sources of the chosen file are picked. */
	open(): void {
		const {state} = this;
		const hit = currentHit(state);
		if (!hit) {
			if (!state.search.busy) this.say('info', 'Search for a file first: /');
			return;
		}
		const cursor = Math.min(state.search.peerIndex, Math.max(0, hit.sources.length - 1));
		const chosen = wantedPeers(state, hit);
		this.store.dispatch({type: 'overlay', overlay: {kind: 'get', hit, cursor, chosen, rtt: {}, busy: true}});
		void this.#loadSources(hit.content);
	}

	/** Brings the open dialog up to date: all sources, and the round trips to them. */
	async #loadSources(content: string): Promise<void> {
		const {dispatch} = this.store;
		try {
			const hit = await this.engine.commands.sources({content});
			dispatch({type: 'get/sources', content, hit, busy: true});
			const peers = ableSources(hit, this.state.peer?.id).map(source => source.peer);
			const rtt = await this.engine.commands.ping({peers});
			dispatch({type: 'get/sources', content, rtt, busy: false});
		} catch (error) {
			dispatch({type: 'get/sources', content, busy: false, error: errorLine(error)});
		}
	}

	/** Starts the download of the open dialog. */
	async start(): Promise<void> {
		const {overlay} = this.state.focus;
		if (overlay?.kind !== 'get') return;
		if (overlay.chosen.length === 0) {
			const able = ableSources(overlay.hit, this.state.peer?.id).length > 0;
			this.say('warn', able ? 'No peer is marked: space marks one, a marks all' : this.#whyNone(overlay.hit));
			return;
		}
		this.store.dispatch({type: 'overlay', overlay: undefined});
		await this.#get(overlay.hit, overlay.chosen);
	}

	/** Downloads the chosen file at once, from the marked peers, the one under the moved cursor, or all. */
	async now(): Promise<void> {
		const hit = currentHit(this.state);
		if (!hit) {
			this.say('info', 'Search for a file first: /');
			return;
		}
		const from = wantedPeers(this.state, hit);
		if (from.length > 0) await this.#get(hit, from);
		else this.say('warn', this.#whyNone(hit));
	}

	/** Downloads what a link to a file or to a folder names. @returns whether it started */
	async link(text: string): Promise<boolean> {
		let elsewhere = '';
		try {
			const link = looksLikeFolderLink(text) ? parseFolderLink(text) : parseLink(text);
			elsewhere = this.#elsewhere(link.servers);
			const {name, existed} = await this.#getLinked(link);
			this.say('info', existed ? `${name} is already there or on its way` : `Getting ${name}`);
			return true;
		} catch (error) {
			this.say('error', `${errorLine(error)}${elsewhere}`);
			return false;
		}
	}

	/** @throws P2pError what the search for its holders fails with */
	async #getLinked(link: FolderLink | ContentLink): Promise<{name: string; existed: boolean}> {
		const {commands} = this.engine;
		if ('peer' in link) {
			const {peer, path} = link;
			const {existed} = await commands.getFolder({peer, path});
			return {name: baseName(path) || shortId(peer), existed};
		}
		const {content, name: linked} = link;
		const found = await commands.sources({content});
		const name = (linked !== undefined && baseName(linked)) || found.name;
		const {existed} = await commands.get({content, name, size: found.size});
		return {name, existed};
	}

	/** A running peer stays in its own networks: why a link may fail that names servers of others only. */
	#elsewhere(servers: readonly string[]): string {
		const ours = (this.state.peer?.servers ?? []).map(({address}) => address);
		const [first] = servers;
		if (first === undefined || servers.some(server => ours.includes(server))) return '';
		return `. The link is for the network of ${displayText(first)}, which this peer is not in`;
	}

	/** A link to the chosen file, for others of the network. */
	linkOfChosen(): string | undefined {
		const hit = currentHit(this.state);
		if (!hit) {
			this.say('info', 'Search for a file first: /');
			return undefined;
		}
		const servers = (this.state.peer?.servers ?? []).map(({address}) => address);
		return formatLink({content: hit.content, name: hit.name, size: hit.size, servers});
	}

	#whyNone(hit: ContentSources): string {
		const isMine = hit.sources.some(source => source.peer === this.state.peer?.id);
		return isMine ? 'Only you hold this file' : 'None of the peers that hold it is online now';
	}

	async #get(hit: ContentSources, from: readonly string[]): Promise<void> {
		const {content, name, size} = hit;
		// Without `from` the engine may also use sources that come up later: right when nobody chose among them.
		const isChoice = from.length < ableSources(hit, this.state.peer?.id).length;
		try {
			const request = {content, name, size, ...(isChoice && {from: [...from]})};
			const {existed} = await this.engine.commands.get(request);
			if (existed) this.say('info', `${name} is already there or on its way`);
			else {
				const who = from.length === 1 ? shortId(from[0] ?? '') : `${from.length} peers`;
				this.say('info', `Getting ${name}, ${shortBytes(size)}, from ${who}`);
			}
		} catch (error) {
			this.say('error', `${name}: ${errorLine(error)}`);
		}
	}
}
