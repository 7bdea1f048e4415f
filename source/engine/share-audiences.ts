// Shares that are not for everybody: what a caller may see of this peer's catalog, and what of it is announced at all.
import {createHash} from 'node:crypto';
import type {CatalogLog} from '../index/client.ts';
import type {Catalog} from '../share/catalog.ts';
import type {ShareState} from '../share/shares.ts';
import type {PeerRules} from './peer-rules.ts';

/** A share's name, the first part of every catalog path in it. */
const shareOf = (path: string) => path.split('/', 1)[0] ?? '';

/** Milliseconds for which a look at the rules is good: every range of a file asks. A share that is new is looked at at once. */
const lookEvery = 200;

/** Applies a peer's rules to its shares. */
export class ShareAudiences {
	readonly #rules: Pick<PeerRules, 'audience'>;
	readonly #list: () => Pick<ShareState, 'name' | 'folder' | 'files' | 'bytes'>[];
	/**
	 * Audiences by share name; null: everybody. A share that was taken back stays as it was: its files leave the catalog
	 * after it.
	 */
	readonly #known = new Map<string, readonly string[] | null>();
	#lookAt = 0;

	/** @param list the shares as they are now */
	constructor(
		rules: Pick<PeerRules, 'audience'>,
		list: () => Pick<ShareState, 'name' | 'folder' | 'files' | 'bytes'>[],
	) {
		this.#rules = rules;
		this.#list = list;
	}

	/** The peer IDs that a share is for; undefined: for everybody. */
	of(name: string): readonly string[] | undefined {
		return this.#audience(name) ?? undefined;
	}

	/**
	 * Whether a caller (its peer ID; undefined for a guest) may know of a catalog path. Nobody may of a share that has not
	 * been opened yet, as the catalog remembers it from the last run.
	 */
	mayRead(caller: string | undefined, path: string): boolean {
		const audience = this.#audience(shareOf(path));
		if (audience === null) return true;
		return caller !== undefined && audience?.includes(caller) === true;
	}

	/** What a caller may see, in numbers; undefined when that is everything. */
	totals(caller: string | undefined): {files: number; bytes: number} | undefined {
		if (this.#hidden().length === 0) return undefined;
		const sum = {files: 0, bytes: 0};
		for (const {name, files, bytes} of this.#list()) {
			if (!this.mayRead(caller, name)) continue;
			sum.files += files;
			sum.bytes += bytes;
		}
		return sum;
	}

	/**
	 * The catalog as index servers get it: without the shares that are not for everybody. Another set of these makes
	 * another epoch, so that servers take the whole list anew and nothing stays that was hidden meanwhile.
	 */
	announced(catalog: Catalog): CatalogLog {
		const isHidden = (path: string) => Boolean(this.#audience(shareOf(path)));
		const totals = () => this.totals(undefined);
		const epoch = () => {
			const names = this.#hidden();
			if (names.length === 0) return catalog.epoch;
			return createHash('sha256')
				.update(JSON.stringify([catalog.epoch, names]))
				.digest('hex')
				.slice(0, 32);
		};
		return {
			get epoch() {
				return epoch();
			},
			get version() {
				return catalog.version;
			},
			get files() {
				return totals()?.files ?? catalog.files;
			},
			get bytes() {
				return totals()?.bytes ?? catalog.bytes;
			},
			canContinueFrom: point => point?.epoch === epoch() && catalog.canContinueFrom({...point, epoch: catalog.epoch}),
			changesSince(version, limit, since) {
				const page = catalog.changesSince(version, limit, since);
				const changes = page.changes.filter(({path}) => !isHidden(path));
				// The page's own epoch tells of a catalog that was rebuilt; it is compared with ours.
				return {...page, epoch: page.epoch === catalog.epoch ? epoch() : page.epoch, changes};
			},
		};
	}

	/** The names of the shares that are not for everybody. */
	#hidden(): string[] {
		this.#look();
		return [...this.#known].flatMap(([name, audience]) => (audience ? [name] : [])).sort();
	}

	#audience(share: string): readonly string[] | null | undefined {
		if (performance.now() >= this.#lookAt || !this.#known.has(share)) this.#look();
		return this.#known.get(share);
	}

	#look(): void {
		this.#lookAt = performance.now() + lookEvery;
		for (const {name, folder} of this.#list()) this.#known.set(name, this.#rules.audience(folder) ?? null);
	}
}
