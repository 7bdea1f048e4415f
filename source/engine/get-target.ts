// What `p2p-tui get` is asked for, as one content: by link, by content ID, or by a name that means exactly one.
import {limits} from '../api/limits.ts';
import type {ContentSources, Source} from '../api/schemas.ts';
import {isContentId} from '../content/content-id.ts';
import {looksLikeLink, parseLink} from '../content/link.ts';
import {P2pError} from '../core/errors.ts';
import {baseName} from '../core/share-path.ts';
import type {Router} from './directory.ts';

const candidatesNamed = 20;

/**
 * Finds the one content that is meant.
 *
 * @throws P2pError not-found; ambiguous, with the candidates in `details.candidates`; no-source when the content is
 * known but nobody who holds it is online
 */
export async function findTarget(router: Router, text: string, signal?: AbortSignal): Promise<ContentSources> {
	if (looksLikeLink(text)) {
		const link = parseLink(text);
		const found = await byContent(router, link.content, signal);
		return link.name === undefined ? found : {...found, name: baseName(link.name) || found.name};
	}
	if (isContentId(text.toLowerCase())) return byContent(router, text.toLowerCase(), signal);
	return byName(router, text, signal);
}

async function byContent(router: Router, content: string, signal?: AbortSignal): Promise<ContentSources> {
	const missing = (cause?: unknown) =>
		new P2pError('no-source', `Nobody who is online shares ${content}`, {
			cause,
			hint: 'Try again when its holder is back',
		});
	try {
		const found = await router.sources(content, signal);
		const sources = found.sources.filter(source => source.online);
		if (sources.length === 0) throw missing();
		return {...found, sources};
	} catch (error) {
		if (error instanceof P2pError && error.code === 'not-found') throw missing(error);
		throw error;
	}
}

async function byName(router: Router, text: string, signal?: AbortSignal): Promise<ContentSources> {
	// A name as it stands wins over a search for its words; quotes in it would end the operator's value.
	const exact = text.includes('"')
		? []
		: (await router.search(`name:"${text}"`, {limit: candidatesNamed, sources: limits.sourcesPerHit, signal})).hits;
	const hits =
		exact.length > 0
			? exact
			: (await router.search(text, {limit: candidatesNamed, sources: limits.sourcesPerHit, signal})).hits;
	const [only, ...others] = hits;
	if (!only)
		throw new P2pError('not-found', `Nothing found for "${text}"`, {
			hint: `See what there is with: p2p-tui search ${text.split(/\s/)[0]}`,
		});
	if (others.length === 0) return only;
	throw new P2pError(
		'ambiguous',
		`"${text}" means ${hits.length === candidatesNamed ? `${candidatesNamed} or more` : hits.length} different files`,
		{
			hint: 'Name one by its content ID',
			details: {
				candidates: hits.map(({content, name, size, sourceCount}) => ({content, name, size, sources: sourceCount})),
			},
		},
	);
}

/**
 * Those of the sources that `--from` names, by number, peer ID or its start, or nickname.
 *
 * @throws P2pError no-source naming what fits nobody who holds the content
 */
export function chooseSources(sources: Source[], from: string[]): Source[] {
	if (from.length === 0) return sources;
	const chosen = new Map<string, Source>();
	for (const wanted of from) {
		const fitting = sources.filter(source => namesPeer(source, wanted));
		if (fitting.length === 0) {
			const holders = sources.map(({number, name}) => `${number} (${name})`).join(', ');
			throw new P2pError('no-source', `Peer ${wanted} does not hold this file or is offline`, {
				hint: holders ? `Held by: ${holders}` : undefined,
			});
		}
		for (const source of fitting) chosen.set(source.peer, source);
	}
	return [...chosen.values()];
}

function namesPeer({peer, number, name}: Source, wanted: string): boolean {
	if (/^\d+$/.test(wanted) && Number(wanted) === number) return true;
	return (
		peer === wanted.toLowerCase() || name === wanted || (wanted.length >= 4 && peer.startsWith(wanted.toLowerCase()))
	);
}
