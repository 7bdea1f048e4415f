// How the search and the get dialog change.
import type {Action} from './actions.ts';
import {listRows} from './layout.ts';
import {followRow, placeCursor} from './list.ts';
import {ableSources, currentHit, currentSource, listIndex, marksOf} from './selectors.ts';
import type {SearchState, SortKey, UiState} from './state.ts';

const sortKeys: readonly SortKey[] = ['best', 'name', 'size', 'peers'];

const withSearch = (state: UiState, change: Partial<SearchState>): UiState => ({
	...state,
	search: {...state.search, ...change},
});

/** Puts the cursor on the first hit: the list below is another one. */
function atFirst(state: UiState): UiState {
	const {total, keyAt} = listIndex(state, 'search');
	const search = placeCursor({index: 0, top: 0}, 0, total, listRows(state, 'search'), keyAt);
	return {...state, lists: {...state.lists, search}};
}

/** Keeps the cursor on its hit while others come and go around it. */
function onHit(state: UiState): UiState {
	const {total, keyAt, indexOf} = listIndex(state, 'search');
	const search = followRow(state.lists.search, total, listRows(state, 'search'), indexOf, keyAt);
	return {...state, lists: {...state.lists, search}};
}

const clamp = (value: number, high: number) => Math.max(0, Math.min(high, value));

/** Handles `search/…` and `get/…`; undefined for what is not theirs. */
export function reduceSearch(state: UiState, action: Action): UiState | undefined {
	const {search} = state;
	const {overlay} = state.focus;
	switch (action.type) {
		case 'search/query':
			return withSearch(state, {query: action.query});
		case 'search/asked':
			return withSearch(state, {asked: search.asked + 1, busy: true, error: undefined});
		case 'search/answer': {
			if (action.asked !== search.asked) return state;
			const {hits, total, more, cursor, ms} = action.answer;
			const sameQuery = action.query === search.answered;
			const next = withSearch(state, {
				...(sameQuery ? {} : {peerIndex: 0, peerMoved: false}),
				hits,
				total,
				more,
				cursor,
				ms,
				answered: action.query,
				busy: false,
			});
			return sameQuery ? onHit(next) : atFirst(next);
		}
		case 'search/page': {
			if (action.asked !== search.asked) return state;
			const known = new Set(search.hits.map(hit => hit.content));
			const fresh = action.answer.hits.filter(hit => !known.has(hit.content));
			return onHit(withSearch(state, {hits: [...search.hits, ...fresh], cursor: action.answer.cursor}));
		}
		case 'search/failed':
			if (action.asked !== search.asked) return state;
			return atFirst(
				withSearch(state, {
					busy: false,
					error: action.message,
					answered: action.query,
					hits: [],
					total: 0,
					more: false,
					cursor: undefined,
				}),
			);
		case 'search/clear':
			return atFirst(
				withSearch(state, {
					query: '',
					answered: '',
					asked: search.asked + 1,
					busy: false,
					error: undefined,
					hits: [],
					total: 0,
					more: false,
					cursor: undefined,
					peerIndex: 0,
					peerMoved: false,
					marks: {},
				}),
			);
		case 'search/peer': {
			const count = currentHit(state)?.sources.length ?? 0;
			return withSearch(state, {
				peerIndex: clamp(search.peerIndex + action.by, count - 1),
				peerMoved: count > 0,
			});
		}
		case 'search/mark': {
			const hit = currentHit(state);
			const source = currentSource(state);
			if (!hit || !source) return state;
			const marked = marksOf(state, hit.content);
			const marks = marked.includes(source.peer)
				? marked.filter(peer => peer !== source.peer)
				: [...marked, source.peer];
			return withSearch(state, {marks: {...search.marks, [hit.content]: marks}});
		}
		case 'search/sort':
			if (action.reverse) return onHit(withSearch(state, {reverse: !search.reverse}));
			return onHit(
				withSearch(state, {
					sort: sortKeys[(sortKeys.indexOf(search.sort) + 1) % sortKeys.length] ?? 'best',
					reverse: false,
				}),
			);
		case 'get/move':
			if (overlay?.kind !== 'get') return state;
			return withOverlay(state, {
				...overlay,
				cursor: clamp(overlay.cursor + action.by, overlay.hit.sources.length - 1),
			});
		case 'get/toggle': {
			if (overlay?.kind !== 'get') return state;
			const source = overlay.hit.sources[overlay.cursor];
			if (!source?.online || source.peer === state.peer?.id) return state;
			const chosen = overlay.chosen.includes(source.peer)
				? overlay.chosen.filter(peer => peer !== source.peer)
				: [...overlay.chosen, source.peer];
			return withOverlay(state, {...overlay, chosen});
		}
		case 'get/all': {
			if (overlay?.kind !== 'get') return state;
			const able = ableSources(overlay.hit, state.peer?.id).map(source => source.peer);
			return withOverlay(state, {...overlay, chosen: overlay.chosen.length === able.length ? [] : able});
		}
		case 'get/sources': {
			if (overlay?.kind !== 'get' || overlay.hit.content !== action.content) return state;
			const hit = action.hit ?? overlay.hit;
			const hadAll = ableSources(overlay.hit, state.peer?.id).every(source => overlay.chosen.includes(source.peer));
			const able = ableSources(hit, state.peer?.id).map(source => source.peer);
			const under = overlay.hit.sources[overlay.cursor]?.peer;
			const cursor = hit.sources.findIndex(source => source.peer === under);
			return withOverlay(state, {
				...overlay,
				hit: {...hit, name: overlay.hit.name},
				// Sources that came up since the search are taken as well when all were chosen.
				chosen: hadAll ? able : overlay.chosen.filter(peer => able.includes(peer)),
				cursor: Math.max(0, cursor),
				rtt: {...overlay.rtt, ...action.rtt},
				busy: action.busy,
				error: action.error,
			});
		}
		default:
			return undefined;
	}
}

const withOverlay = (state: UiState, overlay: UiState['focus']['overlay']): UiState => ({
	...state,
	focus: {...state.focus, overlay},
});
