import {limits} from '../api/limits.ts';
import type {ContentSources, PartialContent} from '../api/schemas.ts';
import type {DownloadManager} from '../download/manager.ts';

/** How often it is looked whether there is something new to tell, in milliseconds. */
const tellMs = 500;
/** How long a content that nobody was found to share is not asked about again, in milliseconds. */
const askAgainMs = 30_000;
const mostKnown = 10_000;

/**
 * The contents that somebody shares with everybody in the network. What is downloaded from a share for named peers is
 * none of them: parts of it are passed on to nobody.
 */
export class KnownContents {
	readonly #sources: (content: string) => Promise<ContentSources>;
	readonly #known = new Set<string>();
	readonly #asked = new Map<string, number>();

	/** @param sources asks content routing */
	constructor(sources: (content: string) => Promise<ContentSources>) {
		this.#sources = sources;
	}

	/** Whether a content is known to be one of them; asks when it is not known. */
	has(content: string): boolean {
		if (this.#known.has(content)) return true;
		const now = performance.now();
		if (now - (this.#asked.get(content) ?? -askAgainMs) < askAgainMs) return false;
		if (this.#asked.size >= mostKnown) this.#asked.clear();
		if (this.#known.size >= mostKnown) this.#known.clear();
		this.#asked.set(content, now);
		this.#sources(content).then(
			({sources}) => {
				// Others who hold parts of it know no more than we do.
				if (sources.some(source => !source.partial)) this.#known.add(content);
			},
			// Nobody, or nobody who could be asked: again later.
			() => undefined,
		);
		return false;
	}
}

/**
 * Keeps telling content routing of which contents there are verified pieces here, so that others fetch them from this
 * peer while it is still downloading.
 *
 * @param known the contents that may be told
 * @returns what ends it
 */
export function announcePartials(
	downloads: Pick<DownloadManager, 'partials'>,
	known: Pick<KnownContents, 'has'>,
	routing: ReadonlyArray<{setPartials(contents: PartialContent[]): void}>,
): () => void {
	let told = '';
	const tell = () => {
		const contents = downloads
			.partials()
			.filter(({content}) => known.has(content))
			.slice(0, limits.partialsPerPeer)
			.map(({content, size}) => ({content, size}));
		const set = contents
			.map(({content}) => content)
			.toSorted()
			.join();
		if (set === told) return;
		told = set;
		for (const part of routing) part.setPartials(contents);
	};
	const timer = setInterval(tell, tellMs);
	return () => clearInterval(timer);
}
