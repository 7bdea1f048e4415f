import {limits} from '../../api/limits.ts';
import {looksLikeFolderLink} from '../../content/folder-link.ts';
import {looksLikeLink} from '../../content/link.ts';
import {errorLine} from '../../core/errors.ts';
import {ControllerBase} from './controller-base.ts';

/** Milliseconds without a key until a search as typed is asked. */
const searchDelay = 120;

/** Hits that one question as typed brings: what a screen shows. More come as one scrolls. */
const pageSize = 50;

/** Whether what was typed is a link to a file or to a folder. */
export function isLink(query: string): boolean {
	return looksLikeLink(query.trim()) || looksLikeFolderLink(query.trim());
}
/** Hits below the cursor that are there before they are needed: a held key must not reach the end of what is loaded. */
const ahead = limits.searchPage;

/** Searches as one types, and loads more hits as one scrolls. */
export class SearchController extends ControllerBase {
	#timer: NodeJS.Timeout | undefined;
	#paging = false;

	/** What was typed; asks when the typing pauses. */
	type(query: string): void {
		const {dispatch} = this.store;
		clearTimeout(this.#timer);
		if (query.trim() === '') dispatch({type: 'search/clear'});
		dispatch({type: 'search/query', query});
		// A link is no words to search for: Enter downloads what it names.
		if (query.trim() !== '' && !isLink(query)) this.#timer = setTimeout(() => void this.#ask(), searchDelay);
	}

	/** Asks what is typed at once, if it was not asked yet. */
	askNow(): void {
		clearTimeout(this.#timer);
		const {search} = this.state;
		const query = search.query.trim();
		if (query !== '' && !isLink(query) && (query !== search.answered || search.error)) void this.#ask();
	}

	async #ask(): Promise<void> {
		const {dispatch} = this.store;
		const query = this.state.search.query.trim();
		dispatch({type: 'search/asked'});
		const {asked} = this.state.search;
		try {
			const answer = await this.engine.commands.search({query, limit: pageSize, typed: true});
			dispatch({type: 'search/answer', asked, query, answer});
		} catch (error) {
			dispatch({type: 'search/failed', asked, query, message: errorLine(error)});
		}
	}

	/** Loads the next hits when the cursor comes near the last one. */
	async follow(): Promise<void> {
		const {search, lists} = this.state;
		if (this.#paging || search.busy || search.cursor === undefined) return;
		// While the cursor rests on the first hit nobody scrolls, and a search as typed costs the server one page.
		const wanted = lists.search.index === 0 ? 0 : ahead;
		if (lists.search.index < search.hits.length - wanted) return;
		this.#paging = true;
		const {asked, answered: query, cursor} = search;
		try {
			const answer = await this.engine.commands.search({query, limit: limits.searchPage, cursor});
			this.store.dispatch({type: 'search/page', asked, answer});
		} catch (error) {
			this.store.dispatch({type: 'search/page', asked, answer: {hits: [], total: search.total, more: search.more}});
			this.say('error', errorLine(error));
		} finally {
			this.#paging = false;
		}
	}

	/** Ends what runs on timers. */
	stop(): void {
		clearTimeout(this.#timer);
	}
}
