import {pieceSizeFor} from '../content/content-id.ts';
import type {FileStamp} from './catalog.ts';
import type {CatalogDatabase} from './catalog-database.ts';
import {contentHex} from './stamp.ts';

/** Files that went away whose contents are remembered: 100 bytes each. */
const knownKept = 500_000;
/** Rows over the limit before some are dropped, so that it is done seldom. */
const slack = 1000;

/** What hashing found out and need not find out again: contents by stamp, and piece layers by content. */
export class KnownContents {
	readonly #queries;
	readonly #kept: number;
	#count: number;

	constructor(database: CatalogDatabase, kept: number = knownKept) {
		this.#kept = kept;
		this.#queries = {
			shared: database.prepare('SELECT content FROM file WHERE stamp = ? AND size = ? LIMIT 1'),
			gone: database.prepare('SELECT content FROM known WHERE stamp = ? AND size = ?'),
			remember: database.prepare('INSERT OR REPLACE INTO known(stamp, size, content) VALUES (?, ?, ?)'),
			oldest: database.prepare('SELECT id, size, content FROM known ORDER BY id LIMIT ?+0'),
			forget: database.prepare('DELETE FROM known WHERE id = ?'),
			dropLayer: database.prepare(
				'DELETE FROM layer WHERE content = ?1 AND NOT EXISTS (SELECT 1 FROM file WHERE content = ?1)',
			),
			hasLayer: database.prepare('SELECT 1 FROM layer WHERE content = ?'),
			count: database.prepare('SELECT count(*) AS count FROM known'),
			layer: database.prepare('SELECT layer FROM layer WHERE content = ?'),
			keepLayer: database.prepare('INSERT OR IGNORE INTO layer(content, layer) VALUES (?, ?)'),
		};
		this.#count = Number(this.#queries.count.get()!.count);
	}

	/** The content of the file with that stamp and size, shared now or before. */
	contentOf(stamp: FileStamp, size: number): string | undefined {
		const row = this.#queries.shared.get(stamp, size) ?? this.#queries.gone.get(stamp, size);
		const content = row?.content as Uint8Array | undefined;
		if (!content || (size > pieceSizeFor(size) && !this.#queries.hasLayer.get(content))) return undefined;
		return contentHex(content);
	}

	remember(stamp: FileStamp, size: number, content: Uint8Array): void {
		this.#queries.remember.run(stamp, size, content);
		this.#count++;
	}

	/** Drops the oldest memories when there are too many. */
	prune(): void {
		if (this.#count <= this.#kept + slack) return;
		this.#count = Number(this.#queries.count.get()!.count);
		for (const {id, size, content} of this.#queries.oldest.all(Math.max(0, this.#count - this.#kept))) {
			this.#queries.forget.run(Number(id));
			if (Number(size) > pieceSizeFor(Number(size))) this.dropLayer(content as Uint8Array);
			this.#count--;
		}
	}

	/** Drops the layer of a content that no shared file has any more. */
	dropLayer(content: Uint8Array): void {
		this.#queries.dropLayer.run(content);
	}

	layer(content: string): Buffer | undefined {
		const bytes = this.#queries.layer.get(Buffer.from(content, 'hex'))?.layer as Uint8Array | undefined;
		return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	}

	keepLayer(content: Buffer, layer: Buffer): void {
		this.#queries.keepLayer.run(content, layer);
	}
}
