import type {ContentSources, PartialContent, PeerInfo, Source} from '../api/schemas.ts';

type Holding = PartialContent & {since: number};

/**
 * Who holds parts of which contents because it is downloading them. Only as long as the peer is online: what it said
 * before may be finished or given up when it comes back, and it says it again then.
 */
export class Partials {
	readonly #byPeer = new Map<string, Map<string, Holding>>();
	readonly #byContent = new Map<string, Map<string, Holding>>();

	/** Replaces all that a peer said before. */
	set(peer: string, contents: PartialContent[]): void {
		const before = this.#byPeer.get(peer);
		this.drop(peer);
		if (contents.length === 0) return;
		const held = new Map<string, Holding>();
		for (const {content, size} of contents) {
			const known = before?.get(content);
			const holding = {content, size, since: known?.since ?? Date.now()};
			held.set(content, holding);
			const holders = this.#byContent.get(content) ?? new Map<string, Holding>();
			holders.set(peer, holding);
			this.#byContent.set(content, holders);
		}
		this.#byPeer.set(peer, held);
	}

	/** Forgets a peer's, as it went. */
	drop(peer: string): void {
		for (const content of this.#byPeer.get(peer)?.keys() ?? []) {
			const holders = this.#byContent.get(content);
			holders?.delete(peer);
			if (holders?.size === 0) this.#byContent.delete(content);
		}
		this.#byPeer.delete(peer);
	}

	/**
	 * The sources of a content with those that hold parts of it put in, after the online ones that hold it whole.
	 *
	 * @param known what the store answered; undefined when nobody holds it whole
	 * @param peerOf a registered peer by its ID
	 * @param most partial sources that are named
	 * @returns undefined when nobody holds anything of it
	 */
	async withSources(
		content: string,
		known: ContentSources | undefined,
		peerOf: (id: string) => Promise<PeerInfo>,
		most: number,
	): Promise<ContentSources | undefined> {
		const holders = this.#byContent.get(content);
		if (!holders) return known;
		const whole = new Set(known?.sources.filter(source => source.online).map(source => source.peer));
		const found: Source[] = [];
		for (const [id, {since, size}] of holders) {
			if (found.length === most) break;
			// A size that is not the content's is a mistake or a lie.
			if (whole.has(id) || (known && size !== known.size)) continue;
			const peer = await peerOf(id).catch(() => undefined);
			if (!peer?.online) continue;
			const {number, name, host, port, online, addresses} = peer;
			const sharedAt = new Date(since).toISOString();
			const more = addresses && {addresses};
			found.push({peer: id, number, name, host, port, path: '', sharedAt, online, partial: true, ...more});
		}
		const [first] = holders.values();
		if (found.length === 0 || !first) return known;
		// Until somebody shares it under a name, its ID has to do.
		const base = known ?? {content, name: content.slice(0, 8), size: first.size, sources: [], sourceCount: 0};
		const taken = new Set(found.map(source => source.peer));
		const online = base.sources.filter(source => source.online);
		const offline = base.sources.filter(source => !source.online && !taken.has(source.peer));
		return {...base, sources: [...online, ...found, ...offline]};
	}
}
