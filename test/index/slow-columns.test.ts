import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {expect, onTestFinished, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {compactType, packCompact} from '../../source/index/compact-changes.ts';
import {add, request, startServer} from '../helpers/index.ts';

test('columns that come slowly, over a thin line or while they wait for their turn, are not cut off as a slow call is', async () => {
	const bodyPatience = 200;
	const server = await startServer({bodyPatience});
	onTestFinished(server.stop);
	const identity = await temporaryIdentity();
	const registration = JSON.stringify({name: 'alice', port: 4000, epoch: 'ab'.repeat(16), version: 0});
	const headers = {'content-type': 'application/json'};
	await request(server, '/v1/peers/me', {method: 'PUT', headers, body: registration, identity});
	const body = (await packCompact([add('s/a'), add('s/b')], new Set(), 2)) ?? Buffer.alloc(0);
	const call = httpsRequest({
		...{host: '127.0.0.1', port: server.port, method: 'POST', rejectUnauthorized: false, agent: false},
		...{path: `/v1/peers/me/files?epoch=${'ab'.repeat(16)}&from=0&to=2`, headers: {'content-type': compactType}},
		...{key: identity.keyPem, cert: identity.certificatePem},
	});
	const answered = once(call, 'response') as Promise<[IncomingMessage]>;
	call.write(body.subarray(0, 50));
	await new Promise(resolve => setTimeout(resolve, 3 * bodyPatience));
	call.end(body.subarray(50));
	const [response] = await answered;
	let text = '';
	for await (const chunk of response) text += chunk;
	expect({status: response.statusCode, body: JSON.parse(text)}).toMatchObject({status: 200, body: {files: 2}});
});
