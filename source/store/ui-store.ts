import type {Action} from './actions.ts';
import {reducer} from './reducer.ts';
import {initialState, type Size, type UiState} from './state.ts';

/** Holds the state; whoever draws it subscribes. */
export type UiStore = {
	get(): UiState;
	dispatch(action: Action): void;
	/** Called after each change; returns the stop. */
	subscribe(listener: () => void): () => void;
};

/** A store for a terminal of this size. */
export function createUiStore(size: Size): UiStore {
	let state = initialState(size);
	const listeners = new Set<() => void>();
	return {
		get: () => state,
		dispatch(action) {
			const next = reducer(state, action);
			if (next === state) return;
			state = next;
			for (const listener of listeners) listener();
		},
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
