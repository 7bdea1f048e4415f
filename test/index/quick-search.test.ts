// Which calls are plainly searches, and that they are answered as the usual way answers them.
import {afterEach, beforeEach, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {RequestEvent} from '../../source/core/events.ts';
import {readQuestion} from '../../source/index/quick-search.ts';
import {request, startServer, type TestServer, until} from '../helpers/index.ts';

let server: TestServer;
beforeEach(async () => {
	server = await startServer();
});
afterEach(() => server.stop());

test('a plain search is read as it was written', () => {
	const read = (parameters: string) => readQuestion(`/v1/search?${parameters}`);
	expect(read('q=r%C3%A9sum%C3%A9+final%2B&limit=200&sources=1')).toEqual({q: 'résumé final+', limit: 200, sources: 1});
	expect(read(new URLSearchParams({q: 'a&b=c #"x" 山', typing: 'Box_1-'}).toString())).toEqual({
		q: 'a&b=c #"x" 山',
		typing: 'Box_1-',
	});
	expect(read('limit=25&cursor=WzEsMl0&q=')).toEqual({q: '', limit: 25, cursor: 'WzEsMl0'});
});

test('whatever is not plain goes the usual way', () => {
	const most = [
		`limit=${limits.searchPage + 1}`,
		`sources=${limits.sourcesPerHit + 1}`,
		'limit=0',
		'limit=1.5',
		'limit=',
	];
	const odd = ['q=y', 'toString=1', '__proto__=1', 'other=1', 'q', '', 'cursor=', 'cursor=%41', 'q=%zz', 'typing='];
	const long = [`cursor=${'a'.repeat(limits.searchCursorLength + 1)}`, `typing=${'a'.repeat(limits.typingLength + 1)}`];
	for (const part of [...most, ...odd, ...long])
		expect([part, readQuestion(`/v1/search?q=x&${part}`)]).toEqual([part, undefined]);
	for (const url of [
		'/v1/search',
		'/v1/search?',
		'/v1/search?limit=1',
		'/v1/searchx?q=x',
		'/V1/search?q=x',
		'//v1/search?q=x',
	])
		expect([url, readQuestion(url)]).toEqual([url, undefined]);
});

test('both ways answer alike', async () => {
	const told: RequestEvent[] = [];
	server.bus.on('request', event => told.push(event));
	for (const query of [
		'q=nothing',
		'q=',
		'q=%22open',
		'q=x&cursor=zzz',
		'q=peer:nobody',
		'q=x&typing=box',
		`q=${'x'.repeat(300)}`,
	]) {
		// A parameter that nobody knows is not plain.
		const [quick, usual] = [
			await request(server, `/v1/search?${query}`),
			await request(server, `/v1/search?${query}&x=1`),
		];
		expect([query, usual.status, usual.body]).toEqual([query, quick.status, quick.body]);
		expect(Object.keys(quick.headers).sort()).toEqual(Object.keys(usual.headers).sort());
		expect(quick.headers['content-type']).toBe(usual.headers['content-type']);
		await until('both were told of', () => told.length === 2);
		const [first, second] = told.splice(0).map(({ms: _, ...event}) => event);
		expect(first).toEqual(second);
		expect(first).toMatchObject({verb: 'SEARCH', peer: 'guest'});
	}
	const {text} = await request(server, '/metrics');
	expect(text).toContain('p2p_requests_total{verb="SEARCH",status="200"} 4');
});

test('a body with a search goes the usual way, and so does HEAD', async () => {
	const body = await request(server, '/v1/search?q=x', {headers: {'content-length': '2'}, body: '{}'});
	expect(body.status).toBe(200);
	expect(await request(server, '/v1/search?q=x', {method: 'HEAD'})).toMatchObject({status: 200, text: ''});
});

test('searches count against their caller’s rate', async () => {
	const rate = {perSecond: 0.001, burst: 2};
	const own = await startServer({
		rates: {peer: rate, address: rate, newPeers: rate, connectionsPerAddress: 100, loopback: true},
	});
	try {
		for (const path of ['/v1/search?q=x', '/v1/search?q=x&x=1'])
			expect([path, (await request(own, path)).status]).toEqual([path, 200]);
		const refused = await request(own, '/v1/search?q=x');
		expect(refused).toMatchObject({status: 503, body: {code: 'busy'}});
		expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
	} finally {
		await own.stop();
	}
});
