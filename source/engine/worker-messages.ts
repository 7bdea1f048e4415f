import type {PeerOptions, ServerOptions} from '../config/options.ts';
import type {PeerSnapshot, PlainError, ServerSnapshot} from './messages.ts';
import type {SnapshotChange} from './snapshot-parts.ts';

/** Which engine a worker is to run. */
export type EngineRequest = {mode: 'server'; options: ServerOptions} | {mode: 'peer'; options: PeerOptions};

/** From the screen's thread to the engine's. `drawn`: the last snapshot was taken in, send the next. */
export type ToWorker = {kind: 'call'; id: number; name: string; request: unknown} | {kind: 'drawn'};

/** From the engine's thread to the screen's. */
export type FromWorker =
	| {kind: 'ready'; snapshot: PeerSnapshot | ServerSnapshot}
	| {kind: 'failed'; error: PlainError}
	| {kind: 'snapshot'; change: SnapshotChange}
	| {kind: 'answer'; id: number; value?: unknown; error?: PlainError}
	| {kind: 'ended'; error?: PlainError};
