import {frameCodeBytes, frameHeadBytes, readFrameHead, readRefusal} from '../api/file-frames.ts';
import type {ErrorCode} from '../core/errors.ts';
import type {ArrivingFile, ArrivingFiles} from './arriving-files.ts';
import type {Sink} from './connection.ts';
import type {ResponseHead} from './http-response.ts';
import {FaultError} from './types.ts';

function lied(message: string): FaultError {
	return new FaultError({kind: 'lied', message});
}

/** Takes one whole file in, the answer to `GET /v1/files/:content`. */
export class FileSink implements Sink {
	readonly #file: ArrivingFile;
	readonly #buffer: Buffer;
	readonly #arriving: ArrivingFiles;
	#filled = 0;

	/** @param buffer holds the file; may be that of the sinks before and after it */
	constructor(file: ArrivingFile, buffer: Buffer, arriving: ArrivingFiles) {
		this.#file = file;
		this.#buffer = buffer;
		this.#arriving = arriving;
	}

	head({status, length}: ResponseHead): number {
		if (status !== 200 || length !== this.#file.size)
			throw lied(`it announces ${length ?? 'no'} bytes instead of ${this.#file.size}`);
		return length;
	}

	body(source: Buffer, from: number, to: number): void {
		source.copy(this.#buffer, this.#filled, from, to);
		this.#filled += to - from;
		if (this.#filled < this.#file.size) return;
		this.#arriving.take(this.#file, this.#buffer.subarray(0, this.#filled));
		this.#arriving.sync();
	}
}

/** Takes many files in, the answer to `GET /v1/files?contents=…`: api/file-frames.ts. */
export class FramesSink implements Sink {
	readonly #files: ArrivingFile[];
	readonly #buffer: Buffer;
	readonly #arriving: ArrivingFiles;
	readonly #refused: (file: ArrivingFile, code: ErrorCode) => void;
	readonly #head = Buffer.alloc(frameHeadBytes);
	#headFilled = 0;
	#isRefusal = false;
	/** Of what the frame holds. */
	#length = 0;
	#filled = 0;
	#at = 0;

	/** @param buffer holds the largest of the files, and a refusal. @param refused told of a file that is not given */
	constructor(
		files: ArrivingFile[],
		buffer: Buffer,
		arriving: ArrivingFiles,
		refused: (file: ArrivingFile, code: ErrorCode) => void,
	) {
		this.#files = files;
		this.#buffer = buffer;
		this.#arriving = arriving;
		this.#refused = refused;
	}

	head({status, length}: ResponseHead): number {
		const most = this.#files.reduce((sum, {size}) => sum + frameHeadBytes + Math.max(size, frameCodeBytes), 0);
		if (status !== 200 || length === undefined || length > most)
			throw lied(`it announces ${length ?? 'no'} bytes instead of at most ${most}`);
		return length;
	}

	body(source: Buffer, from: number, to: number): void {
		for (let at = from; at < to; ) {
			if (this.#headFilled < frameHeadBytes) {
				const end = Math.min(to, at + frameHeadBytes - this.#headFilled);
				this.#headFilled += source.copy(this.#head, this.#headFilled, at, end);
				at = end;
				if (this.#headFilled < frameHeadBytes) return;
				this.#begin();
			}
			const end = Math.min(to, at + this.#length - this.#filled);
			this.#filled += source.copy(this.#buffer, this.#filled, at, end);
			at = end;
			if (this.#filled === this.#length) this.#finish();
		}
	}

	/** The answer is over. @throws FaultError lied when something is missing */
	end(): void {
		this.#arriving.sync();
		if (this.#at < this.#files.length) throw lied('it answers with fewer files than it was asked for');
	}

	#begin(): void {
		const file = this.#files[this.#at];
		if (!file) throw lied('it answers with more files than it was asked for');
		const head = readFrameHead(this.#head);
		if (!head) throw lied('it answers with what is no file');
		if (head.kind === 'file' && head.length !== file.size)
			throw lied(`it announces ${head.length} bytes instead of ${file.size}`);
		this.#isRefusal = head.kind === 'refusal';
		this.#length = head.length;
	}

	#finish(): void {
		const file = this.#files[this.#at]!;
		const bytes = this.#buffer.subarray(0, this.#length);
		if (this.#isRefusal) this.#refused(file, readRefusal(bytes));
		else this.#arriving.take(file, bytes);
		this.#headFilled = 0;
		this.#filled = 0;
		this.#at++;
	}
}
