/** Thrown for bytes that end too early or say what cannot be; whoever sent them is not answered. */
export class BadBytes extends Error {}

/** Writes numbers (big-endian), bytes and texts one after the other. */
export class ByteWriter {
	readonly #parts: Buffer[] = [];
	length = 0;

	bytes(value: Uint8Array): this {
		const part = Buffer.isBuffer(value) ? value : Buffer.from(value);
		this.#parts.push(part);
		this.length += part.length;
		return this;
	}

	/** @param size in bytes, 1 to 6 */
	number(value: number, size: number): this {
		const part = Buffer.allocUnsafe(size);
		part.writeUIntBE(value, 0, size);
		return this.bytes(part);
	}

	/** A whole number up to 2^53. */
	size(value: number): this {
		const part = Buffer.allocUnsafe(8);
		part.writeBigUInt64BE(BigInt(value));
		return this.bytes(part);
	}

	/** UTF-8 behind its length. @param lengthSize bytes of the length */
	text(value: string, lengthSize: 1 | 2): this {
		const part = Buffer.from(value);
		return this.number(part.length, lengthSize).bytes(part);
	}

	done(): Buffer {
		return Buffer.concat(this.#parts, this.length);
	}
}

/** Reads what {@link ByteWriter} wrote. Everything throws {@link BadBytes}. */
export class ByteReader {
	readonly #buffer: Buffer;
	at = 0;

	constructor(buffer: Buffer) {
		this.#buffer = buffer;
	}

	get left(): number {
		return this.#buffer.length - this.at;
	}

	/** A view, not a copy. */
	bytes(length: number): Buffer {
		if (length > this.left) throw new BadBytes('too short');
		this.at += length;
		return this.#buffer.subarray(this.at - length, this.at);
	}

	number(size: number): number {
		if (size > this.left) throw new BadBytes('too short');
		this.at += size;
		return this.#buffer.readUIntBE(this.at - size, size);
	}

	size(): number {
		const value = this.number(4) * 2 ** 32 + this.number(4);
		if (value > Number.MAX_SAFE_INTEGER) throw new BadBytes('too large a number');
		return value;
	}

	text(lengthSize: 1 | 2): string {
		const bytes = this.bytes(this.number(lengthSize));
		const text = bytes.toString('utf8');
		if (text.includes('\ufffd') && !bytes.equals(Buffer.from(text))) throw new BadBytes('not UTF-8');
		return text;
	}

	/** What was read since `from`. */
	since(from: number): Buffer {
		return this.#buffer.subarray(from, this.at);
	}
}
