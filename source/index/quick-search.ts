// Searches past the framework: they are most of what a server is asked, and its hooks, its schema and its way of sending
// took as long as TLS. Whatever is not plainly a search goes the usual way.
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import {limits} from '../api/limits.ts';
import {httpError} from '../net/http-errors.ts';
import type {Story} from './context.ts';
import type {Searches, SearchQuestion} from './searches.ts';

const path = '/v1/search?';
const jsonType = 'application/json; charset=utf-8';

/** What a quick search needs of its server. */
export type QuickSearchOptions = {
	searches: Searches;
	/** Whether a call may be answered here at all: not where strangers are refused, or other headers are due. */
	isOpen(request: IncomingMessage): boolean;
	/** Takes the call from the caller's rate. @throws P2pError busy */
	take(request: IncomingMessage): void;
	/** Told of each answer. */
	record(story: Story, status: number, request: IncomingMessage): void;
	/** Told of what is nobody's fault but ours. */
	onBug(error: unknown): void;
};

/** Puts itself before the server's own listener for requests. */
export function quickSearch(server: Server, options: QuickSearchOptions): void {
	const usual = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
	server.removeAllListeners('request');
	server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		const question = request.method === 'GET' && !hasBody(request) ? readQuestion(request.url ?? '') : undefined;
		if (question && options.isOpen(request)) void answer(question, request, response, options);
		else for (const listener of usual) listener.call(server, request, response);
	});
}

async function answer(
	question: SearchQuestion,
	request: IncomingMessage,
	response: ServerResponse,
	{searches, take, record, onBug}: QuickSearchOptions,
): Promise<void> {
	const story: Story = {verb: 'SEARCH', argument: '', result: 'ok', started: performance.now()};
	let status = 200;
	let more: Record<string, string> | undefined;
	let body: Buffer;
	try {
		take(request);
		body = await searches.answer(question, request.socket, story);
	} catch (error) {
		const failed = httpError(error);
		({status, headers: more} = failed);
		story.result = failed.body.code;
		if (failed.body.code === 'internal') onBug(error);
		body = Buffer.from(JSON.stringify(failed.body));
	}
	record(story, status, request);
	// Whoever has gone is not written to: Node would call that an error.
	if (response.destroyed) return;
	response.writeHead(status, {'content-type': jsonType, 'content-length': body.length, ...more});
	response.end(body);
}

function hasBody({rawHeaders}: IncomingMessage): boolean {
	for (let at = 0; at < rawHeaders.length; at += 2) {
		const name = rawHeaders[at] as string;
		if (name.length !== 14 && name.length !== 17) continue;
		const lower = name.toLowerCase();
		if (lower === 'content-length' || lower === 'transfer-encoding') return true;
	}
	return false;
}

/** The parameters of a plain search; undefined for any other call, and for what a schema should look at. */
export function readQuestion(url: string): SearchQuestion | undefined {
	if (!url.startsWith(path)) return undefined;
	const question: Partial<SearchQuestion> = {};
	for (const part of url.slice(path.length).split('&')) {
		const equals = part.indexOf('=');
		const name = part.slice(0, equals);
		const text = part.slice(equals + 1);
		if (equals < 0 || Object.hasOwn(question, name)) return undefined;
		if (name === 'q') {
			const q = decoded(text);
			if (q === undefined) return undefined;
			question.q = q;
		} else if (name === 'limit' || name === 'sources') {
			const count = countOf(text, name === 'limit' ? limits.searchPage : limits.sourcesPerHit);
			if (count === undefined) return undefined;
			question[name] = count;
		} else if (name === 'cursor' || name === 'typing') {
			const most = name === 'cursor' ? limits.searchCursorLength : limits.typingLength;
			if (text.length === 0 || text.length > most || !plain.test(text)) return undefined;
			question[name] = text;
		} else return undefined;
	}
	return question.q === undefined ? undefined : (question as SearchQuestion);
}

/** Characters that no encoding of a URL changes. */
const plain = /^[\w.~-]+$/;

function countOf(text: string, most: number): number | undefined {
	const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
	return count >= 1 && count <= most ? count : undefined;
}

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return undefined;
	}
}
