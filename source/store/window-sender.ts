// Tells the engine which rows of its long lists the screen can see, so that only those cross between the threads.
import type {TransferFilter, VisibleWindows} from '../engine/messages.ts';
import {listRows} from './layout.ts';
import type {ListId, PaneId, UiState} from './state.ts';

/** Rows around the visible ones that are asked for as well, so that scrolling never shows a gap. */
const margin = 100;

/** A list on the screen and its name at the engine. */
type WindowedList = {list: ListId & PaneId; name: keyof VisibleWindows};

/** Sends the windows of some lists whenever the view comes near the edge of what was asked for. */
export class WindowSender {
	readonly #lists: readonly WindowedList[];
	readonly #send: (windows: VisibleWindows) => Promise<void>;
	readonly #asked = new Map<ListId, {offset: number; rows: number; filter?: TransferFilter}>();

	constructor(lists: readonly WindowedList[], send: (windows: VisibleWindows) => Promise<void>) {
		this.#lists = lists;
		this.#send = send;
	}

	/** Looks where the lists stand now. */
	follow(state: UiState): void {
		const wanted: VisibleWindows = {};
		for (const {list, name} of this.#lists) {
			const visible = listRows(state, list);
			const {top} = state.lists[list];
			const asked = this.#asked.get(list);
			const filter = list === 'transfers' && state.transferFilter !== 'all' ? state.transferFilter : undefined;
			const enough =
				asked?.filter === filter &&
				asked &&
				(asked.offset === 0 || top - asked.offset >= margin / 4) &&
				asked.offset + asked.rows - top - visible >= margin / 4;
			if (enough) continue;
			const window = {
				offset: Math.max(0, top - margin),
				rows: visible + 2 * margin,
				...(filter && {filter}),
			};
			this.#asked.set(list, window);
			wanted[name] = window;
		}
		// An engine that stops cannot answer; there is nothing to show any more then either.
		if (Object.keys(wanted).length > 0) void this.#send(wanted).catch(() => {});
	}
}
