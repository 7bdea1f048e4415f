import type {Identity} from '../../identity/identity.ts';

/** What a store needs besides the cluster's address. */
export type RedisStoreOptions = {
	/** `redis://host:port,…`; see redis-url.ts. */
	url: string;
	/** Where the read model lies. */
	dataDir: string;
	/** This server's. */
	identity: Identity;
	/** Told of what goes wrong beside the calls. */
	log?(level: 'info' | 'warn' | 'error', message: string): void;
	/** Most files of one peer. */
	filesPerPeer?: number;
	/** A network for members only, whose list is in the data folder. `change`: the person says so now. */
	private?: boolean;
	change?: boolean;
	/** The index that is being moved into the cluster, by its fingerprint; other servers stay out until it is whole. */
	migration?: string;
	/** It reads the index once: it never makes peers send their catalogs again. */
	onlyReads?: boolean;
	/** Milliseconds that logs are kept behind what every server has, and between two cuts. */
	keepLog?: number;
	trimEvery?: number;
	/** Milliseconds without a word of a log after which this server calls its index stale. */
	staleAfter?: number;
};
