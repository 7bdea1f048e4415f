// What a peer's screen asks of the engine, and how the answers come back into the state.
import type {PeerEngine} from '../../engine/messages.ts';
import type {UiStore} from '../ui-store.ts';
import {WindowSender} from '../window-sender.ts';
import {BrowseController} from './browse-controller.ts';
import {GetController} from './get-controller.ts';
import {SearchController} from './search-controller.ts';
import {ShareController} from './share-controller.ts';
import {TransferController} from './transfer-controller.ts';

const windowedLists = [
	{list: 'transfers', name: 'transfers'},
	{list: 'peers', name: 'peers'},
] as const;

/** The commands of the peer's screen. None of them throws: a failure is told in a toast or where it belongs. */
export class PeerController {
	readonly search: SearchController;
	readonly get: GetController;
	readonly transfers: TransferController;
	readonly browse: BrowseController;
	readonly shares: ShareController;
	readonly #windows: WindowSender;
	readonly #store: UiStore;

	constructor(store: UiStore, engine: PeerEngine) {
		this.#store = store;
		this.search = new SearchController(store, engine);
		this.get = new GetController(store, engine);
		this.transfers = new TransferController(store, engine);
		this.browse = new BrowseController(store, engine);
		this.shares = new ShareController(store, engine);
		this.#windows = new WindowSender(windowedLists, windows => engine.commands.windows(windows));
	}

	/** Loads what the screen is about to need; called after each change of the state. */
	follow(): void {
		void this.search.follow();
		void this.browse.follow();
		this.#windows.follow(this.#store.get());
	}

	/** Ends what runs on timers. */
	stop(): void {
		this.search.stop();
		this.transfers.stop();
	}
}
