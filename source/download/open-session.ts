import {pieceCount, pieceSizeFor} from '../content/content-id.ts';
import {rootOfPieceLayer} from '../content/merkle.ts';
import {displayText} from '../core/display.ts';
import {makeBitmap} from './bitmap.ts';
import type {DownloadHost} from './job.ts';
import type {StoredDownload} from './journal.ts';
import {openPart, type PartFile} from './part-file.ts';
import {bytesOf, candidatesOf, PartProgress} from './part-progress.ts';
import type {KnownSource, SourceBook} from './source-book.ts';
import {Transfer} from './transfer.ts';

/** The open partial file of a download, and who fills it. */
export type Session = {part: PartFile; layer: Uint8Array; progress: PartProgress; transfer: Transfer};

/** A stored piece layer up to this length is checked before use; longer ones would hold up the thread. */
const checkedLayerBytes = 8192 * 32;

/** What opening a download's partial file needs, and whom it tells. */
export type SessionParts = {
	stored: StoredDownload;
	host: DownloadHost;
	book: SourceBook;
	layer: Uint8Array;
	signal: AbortSignal;
	/** What is there is looked at now, which may take a while. */
	verifying(): void;
	/** A source was given up for good. */
	dropped(source: KnownSource, reason: string): void;
	/** The disk fails while it is synced. */
	broken(error: unknown): void;
};

/** Opens the partial file and looks what of it is good. @throws P2pError in-use, disk-full, not-writable */
export async function openSession(parts: SessionParts): Promise<Session> {
	const {stored, host, book, layer, signal} = parts;
	const {folder, journal, pool, bus} = host;
	const {id, content, size, name} = stored;
	const part = await openPart(folder, content, size);
	try {
		const known = journal.pieces(id);
		const candidates = candidatesOf(size, known, part.existed);
		let have = makeBitmap(pieceCount(size));
		if (candidates.some(byte => byte !== 0)) {
			parts.verifying();
			have = await pool.verify({fd: part.fd, content, size, layer, candidates}, () => undefined, signal);
			signal.throwIfAborted();
			const lost = known.have ? bytesOf(known.have, size) - bytesOf(and(known.have, have), size) : 0;
			if (lost > 0) {
				const message = `${displayText(name)}: ${lost} bytes of the partial file are damaged and are fetched again`;
				bus.emit('log', {level: 'warn', message});
			}
		}
		const progress = new PartProgress({journal, id, size, part}, have, parts.broken);
		const transfer = new Transfer({
			...{content, size, layer, have, fd: part.fd, folder, pool, book, dropped: parts.dropped},
			touched: (first, count) => progress.touch(first, count),
			arrived: piece => progress.arrived(piece),
		});
		return {part, layer, progress, transfer};
	} catch (error) {
		await part.close();
		throw error;
	}
}

/** A stored layer that fits the content. A damaged list of downloads must not make liars of honest sources. */
export function storedLayer({journal}: DownloadHost, {id, content, size}: StoredDownload): Uint8Array | undefined {
	const {layer} = journal.pieces(id);
	if (layer?.length !== pieceCount(size) * 32) return undefined;
	if (layer.length > checkedLayerBytes) return layer;
	return rootOfPieceLayer(layer, pieceSizeFor(size)).toString('hex') === content ? layer : undefined;
}

function and(a: Uint8Array, b: Uint8Array): Uint8Array {
	return a.map((byte, i) => byte & (b[i] ?? 0));
}
