// The one pure reducer: state and action in, next state out.
import type {PeerSnapshot, ServerSnapshot, TransferFilter} from '../engine/messages.ts';
import type {Action, Step} from './actions.ts';
import {fieldError, openForm, withFound, withNextFound, withValue} from './form.ts';
import {listRows, panesOf} from './layout.ts';
import {followRow, placeCursor, stepIndex} from './list.ts';
import {noticeBetween} from './notices.ts';
import {listOf} from './pointer.ts';
import {reduceSearch} from './reduce-search.ts';
import {reduceSettings} from './reduce-settings.ts';
import {reduceTail} from './reduce-tail.ts';
import {listIndex} from './selectors.ts';
import type {ListId, PaneId, Toast, UiState} from './state.ts';

const listIds: readonly ListId[] = ['search', 'transfers', 'peers', 'shares', 'browse', 'members'];

const paneOf = (list: ListId): PaneId => (list === 'browse' ? 'peers' : list);

function placed(state: UiState, list: ListId, index: number): UiState {
	const {total, keyAt} = listIndex(state, list);
	const before = state.lists[list];
	const next = placeCursor(before, index, total, listRows(state, paneOf(list)), keyAt);
	if (next === before) return state;
	const moved = {...state, lists: {...state.lists, [list]: next}};
	// Another file: its peers are others.
	return list === 'search' && next.key !== before.key
		? {...moved, search: {...state.search, peerIndex: 0, peerMoved: false}}
		: moved;
}

/** Brings every cursor in line with rows and size as they are now. */
function settled(state: UiState): UiState {
	let lists = state.lists;
	for (const id of listIds) {
		const {total, indexOf, keyAt} = listIndex(state, id);
		const next = followRow(lists[id], total, listRows(state, paneOf(id)), indexOf, keyAt);
		if (next !== lists[id]) lists = {...lists, [id]: next};
	}
	return lists === state.lists ? state : {...state, lists};
}

function moved(state: UiState, step: Step): UiState {
	const {overlay, pane} = state.focus;
	if (overlay?.kind === 'help') {
		const page = Math.max(1, state.size.rows - 8);
		const by = {up: -1, down: 1, pageUp: -page, pageDown: page, first: -1e6, last: 1e6}[step];
		return {...state, focus: {...state.focus, overlay: {...overlay, top: Math.max(0, overlay.top + by)}}};
	}
	const list = listOf(state, pane);
	if (!list) return reduceTail(state, {type: 'move', step}) ?? state;
	const {total} = listIndex(state, list);
	return placed(state, list, stepIndex(state.lists[list].index, step, total, listRows(state, pane)));
}

function focused(state: UiState, pane: PaneId): UiState {
	const corner = pane === 'peers' || pane === 'shares' ? pane : state.corner;
	return settled({...state, corner, focus: {pane}});
}

function withSnapshot(state: UiState, snapshot: PeerSnapshot | ServerSnapshot): UiState {
	if (snapshot.mode === 'server') return settled({...state, server: snapshot});
	const notice = state.peer && noticeBetween(state.peer, snapshot);
	const next = settled({...state, peer: snapshot});
	return notice ? withToast(next, notice) : next;
}

function withToast(state: UiState, {kind, text, isNews}: Omit<Toast, 'id'>): UiState {
	const id = state.lastToast + 1;
	return {...state, lastToast: id, toast: {id, kind, text, ...(isNews && {isNews})}};
}

/** Moves in a pane and leaves the focus where it is. */
function wheeled(state: UiState, pane: PaneId, step: Step, times: number): UiState {
	let next: UiState = {...state, focus: {pane}};
	for (let time = 0; time < times; time++) next = moved(next, step);
	return {...next, focus: state.focus};
}

const filters: readonly TransferFilter[] = ['all', 'unfinished', 'down', 'up', 'failed', 'done'];

/** What puts the cursor of a text field back to its end: another field, or a text that was not typed. */
const newField: ReadonlySet<Action['type']> = new Set([
	'screen',
	'form/open',
	'form/move',
	'form/found',
	'form/failed',
	'text',
	'overlay',
	'pane',
	'pane/next',
	'settings/type',
	'settings/move',
]);

/** The next state. */
export function reducer(state: UiState, action: Action): UiState {
	const next = reduce(state, action);
	return next.behind !== 0 && newField.has(action.type) ? {...next, behind: 0} : next;
}

function reduce(state: UiState, action: Action): UiState {
	const {focus} = state;
	switch (action.type) {
		case 'resize':
			return settled({...state, size: action.size});
		case 'repaint':
			return {...state, repaints: state.repaints + 1};
		case 'snapshot':
			return withSnapshot(state, action.snapshot);
		case 'screen': {
			const pane = action.screen === 'server' ? 'requests' : action.screen === 'peer' ? 'search' : focus.pane;
			const changed = state.screen !== action.screen && (action.screen === 'server' || action.screen === 'peer');
			return {
				...state,
				screen: action.screen,
				starting: action.starting,
				focus: changed ? {pane} : {pane: focus.pane},
			};
		}
		case 'menu':
			return {...state, menu: action.key};
		case 'found': {
			const isGone =
				state.menu.startsWith('join ') && !action.servers.some(server => `join ${server.address}` === state.menu);
			return {
				...state,
				found: action.servers,
				...(isGone && {menu: 'peer'}),
				...(state.form && {form: withFound(state.form, action.servers)}),
			};
		}
		case 'form/open':
			return {
				...state,
				screen: 'form',
				form: {
					...withFound(openForm(action.form, action.defaults), state.found),
					...(action.note !== undefined && {error: action.note}),
				},
				focus: {...focus, textMode: 'form'},
			};
		case 'form/value':
			return state.form ? {...state, form: withValue(state.form, action.value)} : state;
		case 'form/move': {
			const {form} = state;
			if (!form) return state;
			const count = form.fields.length;
			const index = (((form.index + action.by) % count) + count) % count;
			return {...state, form: {...form, index}};
		}
		case 'form/found':
			return state.form ? {...state, form: withNextFound(state.form, action.at)} : state;
		case 'form/busy':
			return state.form ? {...state, form: {...state.form, busy: true, error: undefined}} : state;
		case 'form/failed': {
			const {form} = state;
			if (!form) return state;
			const index = form.fields.findIndex(field => field.id === action.field);
			if (index === -1) return {...state, screen: 'form', form: {...form, busy: false, error: action.message}};
			const fields = form.fields.map((field, at) => ({
				...field,
				error: at === index ? action.message : fieldError(form, field.id),
			}));
			return {...state, screen: 'form', form: {...form, fields, index, busy: false, error: undefined}};
		}
		case 'pane':
			return panesOf(state).includes(action.pane) ? focused(state, action.pane) : state;
		case 'pane/next': {
			const panes = panesOf(state);
			const at = panes.indexOf(focus.pane);
			return focused(state, panes[(at + action.by + panes.length) % panes.length] ?? focus.pane);
		}
		case 'zoom':
			return settled({...state, zoom: !state.zoom});
		case 'text':
			return {...state, focus: {...focus, textMode: action.mode}};
		case 'overlay': {
			const {overlay} = action;
			const textMode = overlay?.kind === 'palette' ? 'palette' : overlay?.kind === 'share' ? 'share' : undefined;
			return {...state, focus: {pane: focus.pane, overlay, textMode}};
		}
		case 'overlay/scroll':
			return focus.overlay?.kind === 'help' && focus.overlay.top !== action.by
				? {...state, focus: {...focus, overlay: {...focus.overlay, top: action.by}}}
				: state;
		case 'move':
			return moved(state, action.step);
		case 'wheel':
			return wheeled(state, action.pane, action.step, action.times);
		case 'behind':
			return {...state, behind: Math.max(0, action.behind)};
		case 'transfers/filter': {
			const transferFilter =
				action.filter ?? filters[(filters.indexOf(state.transferFilter) + 1) % filters.length] ?? 'all';
			return {...state, transferFilter, lists: {...state.lists, transfers: {index: 0, top: 0}}};
		}
		case 'cursor':
			return placed(state, action.list, action.index);
		case 'toast':
			return withToast(state, action);
		case 'toast/gone':
			return state.toast?.id === action.id ? {...state, toast: undefined} : state;
		case 'palette/query':
			return focus.overlay?.kind === 'palette'
				? {...state, focus: {...focus, overlay: {...focus.overlay, query: action.query, index: 0}}}
				: state;
		case 'palette/move': {
			if (focus.overlay?.kind !== 'palette' || action.count === 0) return state;
			const index = (focus.overlay.index + action.by + action.count) % action.count;
			return {...state, focus: {...focus, overlay: {...focus.overlay, index}}};
		}
		case 'transfer/details':
			return focus.overlay?.kind === 'transfer' && focus.overlay.key === action.key
				? {...state, focus: {...focus, overlay: {...focus.overlay, details: action.details}}}
				: state;
		case 'share/value':
			return focus.overlay?.kind === 'share'
				? {...state, focus: {...focus, overlay: {...focus.overlay, value: action.value, error: undefined}}}
				: state;
		case 'share/state':
			return focus.overlay?.kind === 'share'
				? {...state, focus: {...focus, overlay: {...focus.overlay, busy: action.busy, error: action.error}}}
				: state;
		case 'browse/open': {
			const asked = state.folders + 1;
			const {peer, name, path} = action;
			return {
				...state,
				folders: asked,
				browse: {peer, name, path, entries: [], busy: true, asked},
				lists: {...state.lists, browse: {index: 0, top: 0}},
			};
		}
		case 'browse/answer': {
			const {browse} = state;
			if (browse?.asked !== action.asked) return state;
			const entries = action.append ? [...browse.entries, ...action.answer.entries] : action.answer.entries;
			return settled({...state, browse: {...browse, entries, cursor: action.answer.cursor, busy: false}});
		}
		case 'browse/failed':
			return state.browse?.asked === action.asked
				? {...state, browse: {...state.browse, busy: false, error: action.message}}
				: state;
		case 'browse/close':
			return settled({...state, browse: undefined});
		default:
			return reduceSearch(state, action) ?? reduceSettings(state, action) ?? reduceTail(state, action) ?? state;
	}
}
