// Content routing with no server: a peer's, a server's or a command's place in the distributed hash table.
import {randomBytes} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import path from 'node:path';
import {limits} from '../api/limits.ts';
import {
	type BrowseResponse,
	browseResponseSchema,
	type ContentSources,
	type PartialContent,
	type PeerInfo,
	type PeersResponse,
	type SearchResponse,
} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {protectFolder} from '../core/private-folder.ts';
import {watchLanNodes} from '../net/lan-nodes.ts';
import type {TableAnswer} from '../net/table-route.ts';
import {nearest, toldAt} from './addresses.ts';
import {localNodes, rememberedNodes, rememberNodes} from './bootstrap.ts';
import {Doors} from './doors.ts';
import {Finder} from './finder.ts';
import {WrongBytes} from './keeper-thread.ts';
import {NetworkKey} from './network-key.ts';
import {DhtNode, isPrivateAddress, lanAddresses, type NodeAddress} from './node.ts';
import type {DhtLink, DhtOptions, DhtShare} from './options.ts';
import {OwnPartials} from './own-partials.ts';
import {OwnPresence} from './own-presence.ts';
import {numberOfPeer, PeerBook, presenceEvery} from './peer-book.ts';
import {PeerWatch} from './peer-watch.ts';
import {Publisher} from './publisher.ts';
import {Asker} from './questions.ts';
import {Reach, type Way} from './reach.ts';
import type {Signer} from './records.ts';
import {RemoteKeeper} from './remote-keeper.ts';
import {Sender} from './sender.ts';
import {Tunnels} from './tunnels.ts';

export type {DhtShare} from './options.ts';

/** The name of the network that is joined where none is given. */
export const defaultNetwork = 'p2p-tui';

/** Milliseconds that a command without any other node to ask waits for one on the LAN. */
const lanPatience = 1500;
/**
 * Further nodes that a server on a public address runs over the same store: a peer tells what kind of NAT it is behind by
 * how it looks to four nodes, and one server must be enough for that.
 */
const companions = 3;
/** Milliseconds between two looks at who is there, in a small network and in a large one. */
const lookEvery = {small: 2500, large: 30_000};

/** A place in the table. All questions are P2pErrors when they fail. */
export class Dht {
	readonly #options: DhtOptions;
	readonly #key: NetworkKey;
	readonly #signer: Signer;
	readonly #timers: NodeJS.Timeout[] = [];
	readonly #listeners = new Set<() => void>();
	readonly #label: string;
	/** Of a private network a folder of its own: a peer may be in several. */
	readonly #folder: string;
	#keeper: RemoteKeeper | undefined;
	#node: DhtNode | undefined;
	#sender!: Sender;
	#peers!: PeerBook;
	#finder!: Finder;
	#publisher: Publisher | undefined;
	#presence: OwnPresence | undefined;
	#partials: OwnPartials | undefined;
	#watch: PeerWatch | undefined;
	#looked: Promise<void> | undefined;
	#link: DhtLink;
	#stopped = false;
	#companions: DhtNode[] = [];
	#tunnels: Tunnels | undefined;
	#reach: Reach | undefined;
	#lan: {stop(): Promise<void>} | undefined;

	private constructor(options: DhtOptions) {
		this.#options = options;
		this.#key = new NetworkKey(options.network ?? defaultNetwork, options.networkKey);
		this.#signer = {peer: options.identity.id, privateKey: options.identity.privateKey, tag: this.#key.tag};
		this.#label = options.label ?? 'DHT';
		this.#folder = options.networkKey
			? path.join(options.dataDir, `dht-${this.#key.tag.toString('hex')}`)
			: options.dataDir;
		this.#link = {
			address: this.#label,
			state: 'connecting',
			number: options.share && numberOfPeer(options.identity.id),
		};
	}

	/** Joins the network, or begins one. @throws P2pError unsafe-folder, not-writable */
	static async start(options: DhtOptions): Promise<Dht> {
		const dht = new Dht(options);
		try {
			await dht.#start();
			return dht;
		} catch (error) {
			await dht.stop();
			throw error;
		}
	}

	/** UDP port. */
	get port(): number {
		return this.#node?.port ?? 0;
	}

	/** Nodes that it knows. */
	get nodes(): number {
		return this.#node?.size ?? 0;
	}

	/** Records that it keeps. */
	get records(): number {
		return this.#keeper?.records ?? 0;
	}

	/** Requests that it sent, with those that it sent again. */
	get requests(): {total: number; retries: number; timeouts: number} {
		return this.#node?.requests ?? {total: 0, retries: 0, timeouts: 0};
	}

	async search(
		query: string,
		{limit = limits.searchDefault, sources = limits.sourcesPerSearchHit, signal, first}: SearchOptions = {},
	): Promise<SearchResponse> {
		return this.#finder.search(query, {limit: Math.min(limit, limits.searchPage), sources, signal, first});
	}

	/** Who holds a content, each with a way to it. */
	async sources(content: string, signal?: AbortSignal): Promise<ContentSources> {
		const found = await this.#finder.sources(content, signal);
		const sources = await Promise.all(
			found.sources.map(async source => ({...source, ...(await this.#wayTo(source.peer))})),
		);
		signal?.throwIfAborted();
		return {...found, sources};
	}

	/** Where to connect to; nothing when that is where the peer says it is. */
	async #wayTo(peer: string): Promise<Way | undefined> {
		const presence = this.#reach && (await this.#peers.who(peer));
		return presence && this.#reach?.to(this.#peers.info(presence));
	}

	async browse(
		peer: string,
		{path: folder, cursor, signal}: {path: string; cursor?: string; signal?: AbortSignal},
	): Promise<BrowseResponse> {
		const {id, ...address} = await this.peer(peer, signal);
		const {host, port} = (await this.#wayTo(id)) ?? address;
		const parameters = new URLSearchParams({path: folder, ...(cursor !== undefined && {cursor})});
		return this.#options.client.json(
			{id, host, port},
			{path: `/v1/browse?${parameters}`, schema: browseResponseSchema, signal},
		);
	}

	async peers({signal}: {cursor?: string; limit?: number; signal?: AbortSignal} = {}): Promise<PeersResponse> {
		const peers = await this.#peers.list(signal);
		return {peers, total: peers.length, online: peers.length};
	}

	async peer(text: string, signal?: AbortSignal): Promise<PeerInfo> {
		const wanted = text.toLowerCase();
		if (/^[0-9a-f]{64}$/.test(wanted)) {
			const presence = await this.#peers.who(wanted, signal);
			if (presence) return this.#peers.info(presence);
		}
		const fits = (peer: PeerInfo) =>
			String(peer.number) === wanted || peer.name === text || (wanted.length >= 4 && peer.id.startsWith(wanted));
		const found = this.#peers.all().find(fits) ?? (await this.#peers.list(signal)).find(fits);
		if (found) return found;
		throw new P2pError('not-found', `No peer ${text} is there`, {hint: 'See who is: p2p-tui peers --dht'});
	}

	/** Whether what a peer publishes is for this network. */
	isFor(body: Buffer): boolean {
		return this.#key.open(body) !== undefined;
	}

	/** Takes in what a peer publishes, from its own TLS connection. @throws P2pError refused, bad-request */
	async take(peer: string, address: string, body: Buffer): Promise<TableAnswer> {
		const list = this.#node?.id && this.#key.open(body);
		if (!list || !this.#keeper) throw new P2pError('refused', 'No node of that network keeps files here');
		try {
			const full = await this.#keeper.keepList(peer, list, address);
			if (!full) throw new P2pError('refused', 'Too much of one peer or address, or wrong times');
			return {full};
		} catch (error) {
			if (error instanceof WrongBytes) throw new P2pError('bad-request', `No list of files: ${error.message}`);
			throw error;
		}
	}

	/** How it stands. */
	link(): DhtLink {
		return this.#link;
	}

	/** Everyone who is there, as far as was heard. */
	livePeers(): PeerInfo[] {
		return this.#watch?.all() ?? [];
	}

	/** Called after each change of link() or livePeers(); returns the stop. */
	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** The catalog has changes. */
	catalogChanged(): void {
		this.#publisher?.catalogChanged();
	}

	/** Tells of which contents this peer holds parts, at most limits.partialsPerPeer; each call replaces the one before. */
	setPartials(contents: PartialContent[]): void {
		this.#partials?.set(contents.slice(0, limits.partialsPerPeer));
	}

	/** Says goodbye and leaves. */
	async stop(): Promise<void> {
		if (this.#stopped) return;
		this.#stopped = true;
		for (const timer of this.#timers) clearInterval(timer);
		await this.#lan?.stop();
		await this.#publisher?.stop();
		await this.#partials?.stop();
		await this.#looked;
		if (this.#presence) {
			await Promise.race([this.#presence.tell(true), new Promise(resolve => setTimeout(resolve, 500))]);
		}
		if (this.#node) await this.#remember();
		await this.#tunnels?.stop();
		await Promise.all(this.#companions.map(companion => companion.stop()));
		await this.#node?.stop();
		await this.#keeper?.stop();
	}

	async #start(): Promise<void> {
		const {options, candidates} = {options: this.#options, candidates: this.#candidates()};
		mkdirSync(this.#folder, {recursive: true, mode: 0o700});
		if (options.keeps) {
			const part = {file: path.join(this.#folder, 'dht.db'), tag: this.#key.tag};
			this.#keeper = await RemoteKeeper.start(part, {
				log: message => options.bus.emit('log', {level: 'warn', message}),
				startedAnew: () => this.#publisher?.ownPartForgot(),
			});
			// What the database has just made is for nobody else.
			protectFolder(this.#folder);
		}
		const own = options.host === undefined ? lanAddresses() : [options.host];
		// Behind a NAT a node must not be one that others depend on: HyperDHT finds out whether they reach it.
		const lan = candidates.every(({host}) => isPrivateAddress(host)) || own.some(host => !isPrivateAddress(host));
		const seed = Buffer.from(options.identity.privateKey.export({format: 'jwk'}).d!, 'base64url');
		const log = (message: string) => options.bus.emit('log', {level: 'debug', message});
		const door = options.door === undefined ? undefined : {port: options.door, id: options.identity.id};
		const node = await DhtNode.start({
			...{host: options.host, port: options.port, key: this.#key, seed, keeper: this.#keeper, door, lan, log},
		});
		this.#node = node;
		if (options.probe) {
			this.#tunnels = new Tunnels(node, log);
			this.#reach = new Reach(options.probe, this.#tunnels, message =>
				options.bus.emit('log', {level: 'info', message}),
			);
		}
		const asker = new Asker(node, this.#keeper);
		this.#sender = new Sender(node, this.#keeper, this.#signer, new Doors(node, options.client, this.#key));
		this.#peers = new PeerBook(asker, this.#key, nearest, () => toldAt(node));
		this.#finder = new Finder(asker, this.#key, this.#peers);
		const heard = this.#hearLan(node);
		// Nobody whom it knows is there: whoever is on the LAN answers within a second.
		if ((await node.join(candidates)) === 0 && options.bootstrap.length === 0 && !options.keeps) await heard;
		this.#tellLink();
		options.bus.emit('dht-joined', {network: options.network ?? defaultNetwork, port: node.port, nodes: node.size});
		node.onChange((other, there) => {
			this.#publisher?.nodesChanged(other, there);
			this.#tellLink();
		});
		await this.#remember();
		if (options.share && !lan)
			this.#tunnels?.listen({host: options.share.host ?? '127.0.0.1', port: options.share.port});
		if (options.share) this.#beginSharing(options.share, node);
		if (options.keeps) this.#beginKeeping(node);
		// A server on a public address is what peers behind NATs have between them.
		if (options.keeps && !options.share && own.some(host => !isPrivateAddress(host))) {
			const base = {host: options.host, key: this.#key, keeper: this.#keeper, door, lan, log};
			for (let index = 0; index < companions; index++) {
				const companion = await DhtNode.start({...base, seed: randomBytes(32)});
				this.#companions.push(companion);
				await companion.join([node.address]);
			}
		}
	}

	#beginSharing(share: DhtShare, node: DhtNode): void {
		const {bus} = this.#options;
		this.#publisher = new Publisher({
			...{node, sender: this.#sender, key: this.#key, signer: this.#signer, catalog: share.catalog},
			published: () => {
				const {files, bytes} = share.catalog;
				bus.emit('registered', {server: this.#label, number: numberOfPeer(this.#signer.peer), files, bytes});
				void this.#presence?.tell(false);
			},
			log: message => bus.emit('log', {level: 'warn', message}),
		});
		this.#publisher.start();
		this.#presence = new OwnPresence({
			...{node, sender: this.#sender, key: this.#key, signer: this.#signer, host: share.host},
			fields: () => {
				const {files, bytes} = share.catalog;
				return {name: share.name, port: share.port, files, bytes, floor: this.#publisher?.floor ?? 0};
			},
			told: presence => this.#peers.take(presence),
		});
		void this.#presence?.tell(false);
		this.#every(presenceEvery * 1000 * (0.9 + Math.random() * 0.2), () => void this.#presence?.tell(false));
		const log = (message: string) => bus.emit('log', {level: 'debug', message});
		this.#partials = new OwnPartials(node, this.#sender, this.#key, this.#signer, log);
		const watch = new PeerWatch(this.#peers, bus, this.#signer.peer, () => this.#changed());
		this.#watch = watch;
		let looked = 0;
		this.#every(lookEvery.small, () => {
			if (!node.isSmall && Date.now() - looked < lookEvery.large) return;
			looked = Date.now();
			this.#looked = watch.look();
		});
	}

	/** Tells the LAN of this node and joins those that are heard of. @returns when the first was joined, or soon after */
	#hearLan(node: DhtNode): Promise<void> {
		const first = Promise.withResolvers<void>();
		const {identity, keeps, host, bus} = this.#options;
		const own = {id: identity.id, network: this.#key.tag.toString('hex'), host: host ?? '0.0.0.0'};
		this.#lan = watchLanNodes(
			{...own, ...(keeps && {port: node.port})},
			address => void node.join([address]).then(() => first.resolve()),
			message => bus.emit('log', {level: 'debug', message}),
		);
		setTimeout(first.resolve, lanPatience).unref();
		return first.promise;
	}

	#beginKeeping(node: DhtNode): void {
		this.#every(60_000, () => void this.#remember());
		// Somebody who was alone looks again for those who were there before.
		this.#every(15_000, () => {
			if (node.size === 0) void node.join(this.#candidates());
		});
	}

	#every(ms: number, work: () => void): void {
		this.#timers.push(setInterval(work, ms).unref());
	}

	#candidates(): NodeAddress[] {
		const {network, bootstrap, host} = this.#options;
		const all = [
			...bootstrap,
			...rememberedNodes(this.#folder, network ?? defaultNetwork),
			...(bootstrap.length === 0 ? localNodes(host) : []),
		];
		return [...new Map(all.map(node => [`${node.host}:${node.port}`, node])).values()];
	}

	async #remember(): Promise<void> {
		const node = this.#node;
		if (!node || node.size === 0) {
			// A lone peer's own address still helps the commands beside it.
			if (node?.id) await this.#write([node.address]);
			return;
		}
		await this.#write(node.id ? [node.address, ...node.known()] : node.known());
	}

	async #write(nodes: NodeAddress[]): Promise<void> {
		await rememberNodes(this.#folder, this.#options.network ?? defaultNetwork, nodes).catch(() => undefined);
	}

	#tellLink(): void {
		const nodes = this.nodes;
		const text = nodes === 0 ? 'alone' : nodes === 1 ? '1 node' : `${nodes} nodes`;
		this.#link = {...this.#link, address: `${this.#label} (${text})`, state: 'online'};
		this.#changed();
	}

	#changed(): void {
		for (const listener of this.#listeners) listener();
	}
}

type SearchOptions = {limit?: number; cursor?: string; sources?: number; signal?: AbortSignal; first?(): void};
