// Content routing as the rest of a peer sees it: one or several index servers behind one set of questions.
import type {BrowseResponse, ContentSources, PeerInfo, PeersResponse, SearchResponse, Source} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';

/** Milliseconds for the other routers once one has answered: where all are asked, and where the first one counts. */
const othersMs = 1000;
const laterMs = 300;

/** What one index server (or another content router) can be asked. */
export type Router = {
	/** `sources`: how many of each hit are named. `typing`: names a box whose searches overtake each other. */
	search(
		query: string,
		options: {limit?: number; cursor?: string; sources?: number; typing?: string; signal?: AbortSignal},
	): Promise<SearchResponse>;
	sources(content: string, signal?: AbortSignal): Promise<ContentSources>;
	/** `peer`: number, peer ID or its start, or nickname. */
	browse(peer: string, options: {path: string; cursor?: string; signal?: AbortSignal}): Promise<BrowseResponse>;
	peers(options: {cursor?: string; limit?: number; signal?: AbortSignal}): Promise<PeersResponse>;
	peer(peer: string, signal?: AbortSignal): Promise<PeerInfo>;
};

/** Asks every router at once and merges what they say; one that fails is passed over as long as another answers. */
export function mergeRouters(routers: Router[]): Router {
	if (routers.length === 1) return routers[0]!;
	const checkAny = () => {
		if (routers.length > 0) return;
		throw new P2pError('no-server', 'There is no index server', {hint: 'Name one with --server HOST'});
	};

	/** All answers that came, in the order of the routers. @throws the most telling failure when none came */
	const ask = async <T>(question: (router: Router) => Promise<T>): Promise<T[]> => {
		checkAny();
		return (await inOrder(routers.map(question), othersMs)).filter(answer => answer !== undefined);
	};

	return {
		async search(query, {cursor, ...options}) {
			checkAny();
			const cursors = readCursor(cursor, routers.length);
			const asked = routers.filter((_, i) => cursors[i] !== null);
			const answers = await inOrder(
				asked.map(router => router.search(query, {...options, cursor: cursors[routers.indexOf(router)] ?? undefined})),
				othersMs,
			);
			const pages = answers.filter(page => page !== undefined);
			const next = routers.map(router => answers[asked.indexOf(router)]?.cursor ?? null);
			return {
				hits: mergeContents(pages.map(page => page.hits)),
				total: pages.reduce((sum, page) => sum + page.total, 0),
				// Servers may count the same content, so the sum is no exact total.
				more: true,
				...(next.some(Boolean) && {cursor: JSON.stringify(next)}),
			};
		},
		async sources(content, signal) {
			const [merged] = mergeContents((await ask(router => router.sources(content, signal))).map(answer => [answer]));
			return merged!;
		},
		browse: async (peer, options) => (await firstOf(routers, router => router.browse(peer, options)))!,
		async peers(options) {
			const pages = await ask(router => router.peers(options));
			const byId = new Map<string, PeerInfo>();
			for (const info of pages.flatMap(page => page.peers)) if (!byId.get(info.id)?.online) byId.set(info.id, info);
			const peers = [...byId.values()];
			return {peers, total: peers.length, online: peers.filter(info => info.online).length};
		},
		peer: async (peer, signal) => (await firstOf(routers, router => router.peer(peer, signal)))!,
	};
}

/** The first answer in the routers' order. @throws the most telling failure when none answers */
async function firstOf<T>(routers: Router[], question: (router: Router) => Promise<T>): Promise<T> {
	return (await inOrder(routers.map(question), laterMs)).find(answer => answer !== undefined)!;
}

/**
 * Answers in the order of the questions, undefined for those that did not come: a router that is away must not hold up
 * the others, so that once one has answered the rest have only so many milliseconds left.
 *
 * @throws the most telling failure when none came
 */
async function inOrder<T>(questions: Array<Promise<T>>, left: number): Promise<Array<T | undefined>> {
	const values: Array<T | undefined> = questions.map(() => undefined);
	const failures: unknown[] = [];
	const enough = Promise.withResolvers<void>();
	let late: NodeJS.Timeout | undefined;
	const all = questions.map((question, index) =>
		question.then(
			value => {
				values[index] = value;
				late ??= setTimeout(enough.resolve, left);
			},
			error => failures.push(error),
		),
	);
	await Promise.race([Promise.all(all), enough.promise]);
	clearTimeout(late);
	if (questions.length > 0 && !late) throw mostTelling(failures);
	return values;
}

/** A refusal or a "not found" says more than a server that could not be reached. */
function mostTelling(failures: unknown[]): unknown {
	return (
		failures.find(
			error => !(error instanceof P2pError) || !['unreachable', 'timeout', 'no-server'].includes(error.code),
		) ?? failures[0]
	);
}

function readCursor(cursor: string | undefined, count: number): Array<string | null | undefined> {
	if (cursor === undefined) return Array.from({length: count}, () => undefined);
	try {
		const parsed: unknown = JSON.parse(cursor);
		if (Array.isArray(parsed) && parsed.length === count)
			return parsed.map(part => (typeof part === 'string' ? part : null));
	} catch {
		// Falls through to the same complaint as any other cursor that is not ours.
	}
	throw new P2pError('bad-request', 'Not a cursor of an earlier answer');
}

/** Hits of several answers with their sources put together by content, in the order in which they first appear. */
export function mergeContents(answers: ContentSources[][]): ContentSources[] {
	const merged = new Map<string, ContentSources>();
	for (const hit of answers.flat()) {
		const known = merged.get(hit.content);
		if (!known) {
			merged.set(hit.content, hit);
			continue;
		}
		const byPeer = new Map<string, Source>(known.sources.map(source => [source.peer, source]));
		for (const source of hit.sources) if (!byPeer.has(source.peer)) byPeer.set(source.peer, source);
		const sources = [...byPeer.values()];
		merged.set(hit.content, {
			...known,
			sources,
			sourceCount: Math.max(known.sourceCount, hit.sourceCount, sources.length),
		});
	}
	return [...merged.values()];
}
