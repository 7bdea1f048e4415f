import {blockSize, emptyContentId, pieceSizeFor} from './content-id.ts';
import {blockHashes, merkleRoot, nextPowerOfTwo, rootOfPieceLayer} from './merkle.ts';

const hashBytes = 32;

/** A hashed file. */
export type HashedContent = {
	/** The content ID in hex. */
	content: string;
	size: number;
	/** Bytes per piece. */
	pieceSize: number;
	/** One 32-byte hash a piece; empty for an empty file. A file of one piece has its root here. */
	pieceLayer: Buffer;
};

/** Content ID of a file from its whole piece layer. */
export function contentOfPieceLayer(pieceLayer: Buffer, size: number): HashedContent {
	const pieceSize = pieceSizeFor(size);
	const content = size === 0 ? emptyContentId : rootOfPieceLayer(pieceLayer, pieceSize).toString('hex');
	return {content, size, pieceSize, pieceLayer};
}

/**
 * Hashes consecutive pieces of a file as its bytes come, from any piece border on, so that several threads may share a
 * file. Holds the block hashes of one piece (32 KiB at most) and 32 bytes a finished piece, never the bytes.
 */
export class PieceLayerHasher {
	readonly #layer: Buffer;
	readonly #blocks: Buffer;
	readonly #width: number;
	#used = 0;
	#pieces = 0;
	#ragged = false;

	/**
	 * @param fileSize of the whole file: it decides piece size and padding
	 * @param bytes how many of them will come; fewer than the file has for a part of it
	 */
	constructor(fileSize: number, bytes: number = fileSize) {
		const pieceSize = pieceSizeFor(fileSize);
		// The tree of a file of one piece is only as wide as its own blocks ask for.
		this.#width = nextPowerOfTwo(Math.ceil(Math.min(pieceSize, fileSize) / blockSize));
		this.#layer = Buffer.alloc(Math.ceil(bytes / pieceSize) * hashBytes);
		this.#blocks = Buffer.allocUnsafe(this.#width * hashBytes);
	}

	/** The next bytes: a whole number of 16 KiB blocks, but for the file's last ones. Not kept. */
	update(bytes: Uint8Array): void {
		if (this.#ragged) throw new Error('Bytes after the last block');
		this.#ragged = bytes.length % blockSize !== 0;
		const hashes = blockHashes(bytes);
		for (let at = 0; at < hashes.length; ) {
			const copied = hashes.copy(this.#blocks, this.#used, at);
			at += copied;
			this.#used += copied;
			if (this.#used === this.#blocks.length) this.#closePiece();
		}
	}

	/** One 32-byte hash for each piece begun. */
	finish(): Buffer {
		if (this.#used > 0) this.#closePiece();
		return this.#layer.subarray(0, this.#pieces * hashBytes);
	}

	#closePiece(): void {
		merkleRoot(this.#blocks.subarray(0, this.#used), this.#width).copy(this.#layer, this.#pieces++ * hashBytes);
		this.#used = 0;
	}
}
