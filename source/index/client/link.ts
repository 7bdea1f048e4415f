import {limits} from '../../api/limits.ts';
import type {CatalogChange, CatalogPoint, PeerInfo} from '../../api/schemas.ts';

/** How it stands with one index server, as screens show it. */
export type ServerLinkState = {
	/** HOST:PORT. */
	address: string;
	state: 'connecting' | 'online' | 'lost' | 'refused';
	/** Our number there. */
	number?: number;
	/** Round trip in milliseconds. */
	rtt?: number;
	message?: string;
};

/** The own catalog as a server needs it: a log of changes. */
export interface CatalogLog {
	/** 16 random bytes in hex; new when the log was lost. */
	readonly epoch: string;
	readonly version: number;
	readonly files: number;
	readonly bytes: number;
	/** Whether {@link changesSince} goes on from where a server stands; else it wants everything, from version 0. */
	canContinueFrom(point: CatalogPoint | null): boolean;
	/**
	 * The next changes after `version`, oldest first; from 0 the full list. `to`: the version after them; `last`: whether
	 * that is the newest; `epoch`: what they belong to. `known`: the paths among them of files that were in the catalog
	 * at the version `since` already, as far as that can be told.
	 */
	changesSince(
		version: number,
		limit: number,
		since?: number,
	): {epoch: string; changes: CatalogChange[]; to: number; last: boolean; known?: readonly string[]};
}

/** Under which name and port a peer registers. `host`: only where it is not the address that the server sees. */
export type Announcement = {name: string; port: number; host?: string; addresses?: string[]};

/** Milliseconds of everything that a client of a server waits for. */
export type ClientTiming = {
	/** First and longest pause between attempts; each doubles the one before, less up to half by chance. */
	retryFirst: number;
	retryMost: number;
	/** From a change of the catalog to telling the server, so that many changes go at once. */
	settle: number;
	/** Without a byte on the event stream, which pings every limits.eventPing. */
	silence: number;
	/** Without the server taking in a byte of an upload, or answering it. */
	uploadStall: number;
};

export const clientTiming: ClientTiming = {
	retryFirst: 500,
	retryMost: 30_000,
	settle: 200,
	silence: 3 * limits.eventPing,
	uploadStall: 60_000,
};

/** The peers of a network as they come and go, by ID. */
export type LivePeers = Map<string, PeerInfo>;
