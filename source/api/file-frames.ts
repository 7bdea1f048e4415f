// How `GET /v1/files?contents=…` answers: one frame for each content asked for, in that order. A frame is a byte that says what
// follows, its length (4 bytes, big-endian), and that: the file, or the code of the error for it in ASCII.
import {type ErrorCode, isErrorCode} from '../core/errors.ts';
import {limits} from './limits.ts';

/** Bytes before what a frame holds. */
export const frameHeadBytes = 5;

/** The longest code of an error that a frame may hold, in bytes. */
export const frameCodeBytes = 32;

/** Bytes of the longest answer there can be. */
export const framedAnswerBytes = limits.filesCallBytes + limits.filesCall * (frameHeadBytes + frameCodeBytes);

const kinds = {file: 0, refusal: 1} as const;

/** What a frame's head says. */
export type FrameHead = {kind: keyof typeof kinds; length: number};

/** Writes a frame's head. @returns where what it holds begins */
export function writeFrameHead(target: Uint8Array, at: number, {kind, length}: FrameHead): number {
	target[at] = kinds[kind];
	new DataView(target.buffer, target.byteOffset).setUint32(at + 1, length);
	return at + frameHeadBytes;
}

/** Writes the frame of a content that is not given. @returns where the next one begins */
export function writeRefusal(target: Uint8Array, at: number, code: ErrorCode): number {
	const start = writeFrameHead(target, at, {kind: 'refusal', length: code.length});
	for (let i = 0; i < code.length; i++) target[start + i] = code.charCodeAt(i);
	return start + code.length;
}

/** Reads a frame's head from its {@link frameHeadBytes} bytes; undefined when it cannot be one. */
export function readFrameHead(bytes: Buffer): FrameHead | undefined {
	const length = bytes.readUInt32BE(1);
	if (bytes[0] === kinds.file) return {kind: 'file', length};
	return bytes[0] === kinds.refusal && length <= frameCodeBytes ? {kind: 'refusal', length} : undefined;
}

/** The code that a refusal holds. */
export function readRefusal(bytes: Buffer): ErrorCode {
	const code = bytes.toString('latin1');
	return isErrorCode(code) ? code : 'not-found';
}
