import {errorLine} from '../../core/errors.ts';
import {shortBytes, shortId} from '../../core/format.ts';
import {baseName} from '../../core/share-path.ts';
import {currentEntry, currentPeer, currentSource} from '../selectors.ts';
import {ControllerBase} from './controller-base.ts';

/** Entries before the end at which the next page is loaded. */
const ahead = 200;

/** Looking through what one peer shares. */
export class BrowseController extends ControllerBase {
	#paging = false;

	/** Opens the tree of the peer under the cursor of a pane. */
	open(from: 'peers' | 'search'): void {
		const source = from === 'search' ? currentSource(this.state) : undefined;
		const row = from === 'peers' ? currentPeer(this.state) : undefined;
		const id = source?.peer ?? row?.id;
		if (id === undefined) {
			this.say('info', from === 'search' ? 'Search for a file first: /' : 'No peer is chosen');
			return;
		}
		const name = source?.name ?? row?.name ?? shortId(id);
		if (!(source ?? row)?.online) {
			this.say('info', `${name} is offline now`);
			return;
		}
		this.store.dispatch({type: 'pane', pane: 'peers'});
		void this.#openFolder(id, name, '');
	}

	async #openFolder(peer: string, name: string, path: string, childPath?: string): Promise<void> {
		this.store.dispatch({type: 'browse/open', peer, name, path});
		await this.#page(false);
		const index = this.state.browse?.entries.findIndex(entry => entry.path === childPath) ?? -1;
		if (index > 0) this.store.dispatch({type: 'cursor', list: 'browse', index});
	}

	async #page(append: boolean): Promise<void> {
		const {browse} = this.state;
		if (!browse) return;
		const {peer, path, asked, cursor} = browse;
		try {
			const request = {peer, path, ...(append && cursor !== undefined && {cursor})};
			const answer = await this.engine.commands.browse(request);
			this.store.dispatch({type: 'browse/answer', asked, answer, append});
		} catch (error) {
			this.store.dispatch({type: 'browse/failed', asked, message: errorLine(error)});
		}
	}

	/** Loads the next entries when the cursor comes near the last one. */
	async follow(): Promise<void> {
		const {browse, lists} = this.state;
		if (!browse || browse.busy || browse.error || browse.cursor === undefined || this.#paging) return;
		if (lists.browse.index < browse.entries.length - ahead) return;
		this.#paging = true;
		await this.#page(true);
		this.#paging = false;
	}

	/** Opens the chosen folder, or gets the chosen file. */
	enter(): void {
		const {browse} = this.state;
		const entry = currentEntry(this.state);
		if (!browse || !entry) return;
		if (entry.type === 'folder') void this.#openFolder(browse.peer, browse.name, entry.path);
		else void this.get();
	}

	/** Gets the chosen file, or the chosen folder with all below it, from this peer. */
	async get(): Promise<void> {
		const {browse} = this.state;
		const entry = currentEntry(this.state);
		if (!browse || !entry) return;
		const name = baseName(entry.path);
		const {commands} = this.engine;
		try {
			const {existed} =
				entry.type === 'folder'
					? await commands.getFolder({peer: browse.peer, path: entry.path})
					: await commands.get({content: entry.content, name, size: entry.size, from: [browse.peer]});
			const files = entry.type === 'folder' ? `${entry.files} files, ` : '';
			if (existed) this.say('info', `${name} is already there or on its way`);
			else this.say('info', `Getting ${name}, ${files}${shortBytes(entry.size)}, from ${browse.name}`);
		} catch (error) {
			this.say('error', `${name}: ${errorLine(error)}`);
		}
	}

	/** One folder up, or back to the list of peers. */
	up(): void {
		const {browse} = this.state;
		if (!browse) return;
		if (browse.path === '') {
			this.store.dispatch({type: 'browse/close'});
			return;
		}
		const slash = browse.path.lastIndexOf('/');
		void this.#openFolder(browse.peer, browse.name, slash === -1 ? '' : browse.path.slice(0, slash), browse.path);
	}
}
