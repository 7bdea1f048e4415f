import type {PeerEngine} from '../../engine/messages.ts';
import type {ToastKind, UiState} from '../state.ts';
import type {UiStore} from '../ui-store.ts';

/** What the parts of the peer's controller share. */
export abstract class ControllerBase {
	protected readonly store: UiStore;
	protected readonly engine: PeerEngine;

	constructor(store: UiStore, engine: PeerEngine) {
		this.store = store;
		this.engine = engine;
	}

	/** The state as it is now. */
	protected get state(): UiState {
		return this.store.get();
	}

	/** Shows a message for some seconds. */
	protected say(kind: ToastKind, text: string): void {
		this.store.dispatch({type: 'toast', kind, text});
	}
}
