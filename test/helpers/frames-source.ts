// A peer that is asked for small files, and answers as a test wants it.
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {onTestFinished} from 'vitest';
import {writeFrameHead, writeRefusal} from '../../source/api/file-frames.ts';
import type {ErrorCode} from '../../source/core/errors.ts';
import type {DownloadSource} from '../../source/download/types.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';

/** What is asked for: a list of contents, or one by itself. */
export type FilesCall = {
	contents: string[];
	isList: boolean;
	response: ServerResponse;
	/** The file that has a content. */
	bytes(content: string): Buffer;
	/** Answers as a peer does; the frames may be others than the right ones. */
	answer(frames?: Buffer[]): void;
};

/** The frame of a file. */
export function fileFrame(bytes: Buffer, length = bytes.length): Buffer {
	const head = Buffer.alloc(5);
	writeFrameHead(head, 0, {kind: 'file', length});
	return Buffer.concat([head, bytes]);
}

/** The frame of a file that is not given. */
export function refusalFrame(code: ErrorCode): Buffer {
	const frame = Buffer.alloc(64);
	return frame.subarray(0, writeRefusal(frame, 0, code));
}

/** Starts the peer; it ends with the test. @param files by content */
export async function framesSource(
	files: ReadonlyMap<string, Buffer>,
	behave: (call: FilesCall) => void = call => call.answer(),
	name = 'mallory',
) {
	const identity = await temporaryIdentity();
	/** What it was asked for in lists, and one by one. */
	const asked = {lists: [] as string[][], singly: [] as string[]};
	const server = createServer(tlsServerOptions(identity), (request: IncomingMessage, response) => {
		const url = new URL(request.url ?? '', 'https://peer');
		const list = url.searchParams.get('contents')?.split(',');
		const contents = list ?? [url.pathname.split('/')[3] ?? ''];
		if (list) asked.lists.push(list);
		else asked.singly.push(contents[0]!);
		const bytes = (content: string) => files.get(content)!;
		const answer = (frames = contents.map(content => fileFrame(bytes(content)))) => {
			const body = list ? Buffer.concat(frames) : bytes(contents[0]!);
			response.writeHead(200, {'content-length': body.length}).end(body);
		};
		behave({contents, isList: list !== undefined, response, bytes, answer});
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	const {port} = server.address() as AddressInfo;
	const source: DownloadSource = {peer: identity.id, number: 9, name, host: '127.0.0.1', port};
	return {source, asked};
}

/** Answers as a peer does that has no such call, or no such content. */
export function answerNotFound(response: ServerResponse): void {
	const body = JSON.stringify({code: 'not-found', message: 'There is no such call here'});
	response.writeHead(404, {'content-type': 'application/json', 'content-length': body.length}).end(body);
}
