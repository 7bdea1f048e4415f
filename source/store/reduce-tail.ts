// The log and the server's requests: they follow their end unless they are paused or scrolled.
import type {LogLevel} from '../core/events.ts';
import type {Action} from './actions.ts';
import {listRows} from './layout.ts';
import {stepIndex} from './list.ts';
import {logLines, requestRows} from './selectors.ts';
import type {UiState} from './state.ts';

const levels: readonly LogLevel[] = ['info', 'warn', 'error', 'debug'];

type TailChange = {frozen?: readonly unknown[]; back?: number; filter?: string};

function withTail(state: UiState, change: TailChange): UiState {
	return state.focus.pane === 'requests'
		? {...state, requests: {...state.requests, ...(change as Partial<UiState['requests']>)}}
		: {...state, log: {...state.log, ...(change as Partial<UiState['log']>)}};
}

/** Handles `tail/…`, `log/…` and moves in a tail; undefined for what is not theirs. */
export function reduceTail(state: UiState, action: Action): UiState | undefined {
	const {pane} = state.focus;
	const isRequests = pane === 'requests';
	if (!isRequests && pane !== 'log') return undefined;
	const tail = isRequests ? state.requests : state.log;
	const newest = (isRequests ? state.server?.log : state.peer?.log) ?? [];
	switch (action.type) {
		case 'tail/pause':
			return withTail(state, tail.frozen ? {frozen: undefined, back: 0} : {frozen: newest, back: 0});
		case 'tail/follow':
			return withTail(state, {frozen: undefined, back: 0});
		case 'tail/filter':
			return withTail(state, {filter: action.filter, back: 0});
		case 'log/level':
			return {
				...state,
				log: {...state.log, back: 0, level: levels[(levels.indexOf(state.log.level) + 1) % levels.length] ?? 'info'},
			};
		case 'move': {
			const total = (isRequests ? requestRows(state) : logLines(state)).length;
			const rows = listRows(state, pane);
			const scrollable = Math.max(0, total - rows);
			// Steps count from the top, `back` from the end.
			const at = Math.min(
				scrollable,
				Math.max(0, stepIndex(scrollable - tail.back, action.step, scrollable + 1, rows)),
			);
			const back = scrollable - at;
			if (back === 0 && action.step === 'last') return withTail(state, {frozen: undefined, back: 0});
			if (back === tail.back) return state;
			return withTail(state, {frozen: back === 0 ? undefined : (tail.frozen ?? newest), back});
		}
		default:
			return undefined;
	}
}
